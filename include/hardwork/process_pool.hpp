// The pool: worker processes that run functions of this program.
#pragma once

#include <cstdint>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/detail/call.hpp"
#include "hardwork/detail/map_source.hpp"
#include "hardwork/detail/pool_core.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"

namespace hardwork {

/// A pool of worker processes.
///
///     hardwork::ProcessPool pool({.workers = 4});
///     hardwork::Future<double> f = pool.submit(risky, 42, "name");  // f.get() throws WorkerDied if risky() crashed
///     for (auto& factors : pool.map(factorize, std::views::iota(100, 1'000'000))) use(factors);
///
/// The constructor forks a template process, from which all workers are forked, also those that replace one that died.
/// So workers see the program (its variables, open files, loaded libraries) as it was when the pool was made, whatever
/// has changed since. Make pools early, before threads are started: see Options::allow_threads. Standard output buffers
/// are flushed first, so that no worker prints what this program has printed. SIGINT is ignored in workers: Ctrl-C is
/// this program's business; when this program ends, however it ends, its workers do too.
///
/// What can travel: functions, and lambdas without captures (stateless function objects); as arguments and results all
/// types that have a Codec. Anything else is refused by the compiler. Functions of a library that was loaded after the
/// pool was made are not in its workers: calling one is WorkerDied.
///
/// All members may be called from several threads. In another process than its own (in a task, or after a fork) a pool
/// throws WrongProcess.
class ProcessPool {
  public:
    /// Starts the template process; the workers are born meanwhile, and the constructor does not wait for them.
    /// @param options How many workers, and more.
    /// @throws std::invalid_argument for a number of workers that cannot be; MultithreadedProgram; SystemError.
    explicit ProcessPool(Options options = {}) : core_(detail::PoolCore::make(std::move(options))) {}
    /// Takes over the pool of another, which must not be used any more.
    ProcessPool(ProcessPool&&) noexcept = default;
    /// Shuts down its pool as the destructor does, and takes over that of another.
    ProcessPool& operator=(ProcessPool&& other) noexcept {
        if (this != &other) {
            if (core_) core_->shutdown(true, false);
            core_ = std::move(other.core_);
        }
        return *this;
    }
    /// shutdown(): waits for the tasks and the workers.
    ~ProcessPool() {
        if (core_) core_->shutdown(true, false);
    }

    /// Runs `function(arguments...)` in a worker.
    /// @param function A function, or a lambda without captures.
    /// @param arguments Are converted to the types of its parameters and encoded now.
    /// @return A Future of what it returns (without reference and const).
    /// @throws ShutDown, BrokenPool, std::bad_alloc, what a Codec throws.
    template <class F, class... A>
    auto submit(F&& function, A&&... arguments) {
        using Function = std::decay_t<F>;
        using Plan = detail::Plan<Function, A...>;
        if constexpr (Plan::ok) {
            using R = typename detail::ResultOf<Function, typename Plan::Arguments>::type;
            const Function plain = function;
            return Future<R>(submit_as<Function, R>(plain, typename Plan::Arguments{}, std::forward<A>(arguments)...));
        }
    }

    /// Runs `function(item)` for each item of a range, in as many workers as there are.
    ///
    /// A range that has a size is read, and its items are encoded, before map returns; hardwork::range and std::views::iota
    /// travels as two numbers. A range without a size (a stream, a filter, a generator; it may be endless) is read a
    /// little ahead of the results that are taken. It must live as long as the MapResult, which keeps it if it is given
    /// as an rvalue. What the range throws then comes after the results of its items.
    ///
    /// @param function A function, or a lambda without captures, of one parameter.
    /// @param range Any input range.
    /// @return The results in the order of the items, as a range that is read once.
    /// @throws ShutDown, BrokenPool, std::bad_alloc, what a Codec or the range throws.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range) {
        using Function = std::decay_t<F>;
        using Item = std::ranges::range_value_t<Range>;
        using Plan = detail::Plan<Function, Item>;
        static_assert(
            Sendable<Item>,
            "hardwork: the range's items cannot travel: their type needs a hardwork::Codec (pointers, references "
            "and views other than std::string_view have none)");
        if constexpr (Plan::ok && Sendable<Item>) {
            using R = typename detail::ResultOf<Function, typename Plan::Arguments>::type;
            const Function plain = function;
            auto state =
                core_->start_map(core_->number_of(item_code<Function, R, Item>(plain, typename Plan::Arguments{})));
            detail::feed_map<Item>(*state, std::forward<Range>(range));
            return MapResult<R>(nullptr, std::move(state));
        }
    }

    /// The end of the pool: it takes no more tasks. Those it has are done first, unless they are cancelled. May be
    /// called again.
    /// @param wait Whether to wait until all tasks are done and all workers have ended.
    /// @param cancel_pending Whether to cancel what has not started.
    void shutdown(bool wait = true, bool cancel_pending = false) { core_->shutdown(wait, cancel_pending); }

    /// The process ids of the workers that live now.
    std::vector<std::int32_t> pids() const { return core_->pids(); }

    /// How many workers the pool has, or will have when they are born.
    int workers() const noexcept { return core_->workers(); }

  private:
    friend struct detail::PoolAccess;

    template <class F, class R, class... T, class... A>
    detail::TaskHandle submit_as(const F& function, detail::Types<T...>, A&&... arguments) {
        // References where the types are the same: a large vector is encoded from where it is.
        const std::tuple<detail::Held<T, A>...> held(std::forward<A>(arguments)...);
        SizeCounter counter;
        std::apply([&](const T&... argument) { (Codec<T>::encode(counter, argument), ...); }, held);
        detail::InputBuffer input(*core_->engine(), counter.size());
        MemoryWriter writer(input.memory());
        std::apply([&](const T&... argument) { (Codec<T>::encode(writer, argument), ...); }, held);
        return core_->submit(core_->number_of(detail::code_of(&detail::run_task<F, R, T...>, function)), input);
    }

    template <class F, class R, class Item, class P>
    static detail::Code item_code(const F& function, detail::Types<P>) {
        return detail::code_of(&detail::run_item<F, R, Item, P>, function);
    }

    std::shared_ptr<detail::PoolCore> core_;
};

namespace detail {
// What only the free map may do: the pool it made goes with its results.
struct PoolAccess {
    template <class T>
    static MapResult<T> keep_with(MapResult<T> results, ProcessPool pool) {
        results.pool_ = std::move(pool.core_);
        return results;
    }
};
}  // namespace detail

/// As ProcessPool::map, with a pool of its own that ends with the MapResult.
/// @param function A function, or a lambda without captures, of one parameter.
/// @param range Any input range.
/// @param options As for a ProcessPool.
template <class F, std::ranges::input_range Range>
auto map(F&& function, Range&& range, Options options = {}) {
    ProcessPool pool(std::move(options));
    auto results = pool.map(std::forward<F>(function), std::forward<Range>(range));
    return detail::PoolAccess::keep_with(std::move(results), std::move(pool));
}

}  // namespace hardwork
