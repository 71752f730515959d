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
#include "hardwork/detail/fold.hpp"
#include "hardwork/detail/map_source.hpp"
#include "hardwork/detail/pool_core.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"
#include "hardwork/result.hpp"

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
/// What can run there: functions; lambdas; pointers to members, whose object is their first argument, by value; function
/// objects that have a Codec. Captures of a lambda must be trivially copyable, and travel as their bytes. C++ does not
/// tell what they are: what is captured by reference, and what a captured pointer or `this` points to, is in a worker the
/// worker's own, as it was when the pool was made, or is not there at all. hardwork::bound gives a function values of any
/// type that has a Codec. Functions of a library that was loaded after the pool was made are not in its workers: calling
/// one is WorkerDied.
///
/// Arguments and results are of all types that have a Codec (codec.hpp). What cannot travel is refused by the compiler, in
/// a line that names it.
///
/// All members may be called from several threads. In another process than its own (in a task, or after a fork) a pool
/// throws WrongProcess.
class ProcessPool {
  public:
    /// Starts the template process; the workers are born meanwhile, and the constructor does not wait for them.
    /// @param options How many workers, and more.
    /// @throws InvalidOption for a number of workers that cannot be; MultithreadedProgram; SystemError.
    explicit ProcessPool(Options options = {}) : core_(detail::PoolCore::make(std::move(options))) {}
    /// As the constructor, without exceptions.
    static Result<ProcessPool> try_make(Options options = {}) noexcept {
        return detail::result_of([&] { return ProcessPool(std::move(options)); });
    }
    /// Takes over the pool of another, which has none then: it throws InvalidPool.
    ProcessPool(ProcessPool&&) noexcept = default;
    /// Shuts down its pool as the destructor does, and takes over that of another.
    ProcessPool& operator=(ProcessPool&& other) noexcept {
        if (this != &other) {
            if (core_) core_->shutdown(ShutdownMode::wait);
            core_ = std::move(other.core_);
        }
        return *this;
    }
    /// shutdown(): waits for the tasks and the workers.
    ~ProcessPool() {
        if (core_) core_->shutdown(ShutdownMode::wait);
    }

    /// Runs `function(arguments...)` in a worker.
    /// @param function What shall run; see the class.
    /// @param arguments Are converted to the types of its parameters and encoded now.
    /// @return A Future of what it returns (without reference and const).
    /// @throws ShutDown, BrokenPool, WrongProcess, InvalidPool, std::bad_alloc, what a Codec throws.
    template <class F, class... A>
    auto submit(F&& function, A&&... arguments) {
        using Function = std::decay_t<F>;
        using Plan = detail::Plan<Function, true, A...>;
        if constexpr (Plan::ok) {
            using R = typename detail::ResultOf<Function, typename Plan::Arguments>::type;
            const Function& plain = function;
            return Future<R>(submit_as<Function, R>(plain, typename Plan::Arguments{}, std::forward<A>(arguments)...),
                             &detail::decode_value<R>);
        }
    }

    /// As submit(), without exceptions: what submit() would throw is the Result's error().
    template <class F, class... A>
    auto try_submit(F&& function, A&&... arguments) noexcept {
        if constexpr (detail::Plan<std::decay_t<F>, true, A...>::ok) {
            return detail::result_of([&] { return submit(function, std::forward<A>(arguments)...); });
        }
    }

    /// Runs `function(item)` for each item of a range, in as many workers as there are.
    ///
    /// A range that has a size is read, and its items are encoded, before map returns; hardwork::range and std::views::iota
    /// travel as two numbers. A range without a size (a stream, a filter, a generator; it may be endless) is read a
    /// little ahead of the results that are taken. It must live as long as the MapResult, which keeps it if it is given
    /// as an rvalue. What the range throws then comes after the results of its items.
    ///
    /// @param function What shall run, of one parameter; see the class.
    /// @param range Any input range.
    /// @return The results in the order of the items, as a range that is read once.
    /// @throws ShutDown, BrokenPool, WrongProcess, InvalidPool, std::bad_alloc, what a Codec or the range throws.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range) {
        return start_map<true>(function, std::forward<Range>(range), detail::MapOrder::of_items);
    }

    /// As map(), but the results come as they are made: none waits for those of the items before it.
    /// @param function What shall run, of one parameter; see the class.
    /// @param range Any input range.
    /// @return The results in no order, as a range that is read once.
    /// @throws What map() throws.
    template <class F, std::ranges::input_range Range>
    auto map_unordered(F&& function, Range&& range) {
        return start_map<true>(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
    }

    /// Runs `function(item)` for each item of a range and waits until all are done. What the function returns is not
    /// wanted, and needs no Codec.
    /// @param function What shall run, of one parameter; see the class.
    /// @param range Any input range.
    /// @throws What map() throws; and, as the first of the items that fails does so, what Future::get throws. Those that
    ///     have not started by then never will.
    template <class F, std::ranges::input_range Range>
    void for_each(F&& function, Range&& range) {
        using Plan = detail::Plan<std::decay_t<F>, false, std::ranges::range_value_t<Range>>;
        if constexpr (Plan::ok) {
            auto results = start_map<false>(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
            for (auto at = results.begin(); at != results.end(); ++at)
                static_cast<void>(*at);
        }
    }

    /// Reduces `transform(item)` of all items of a range to one value: runs of neighbouring items in the workers, and what
    /// those give, in their order, in this process. So `reduce` must be associative, as for std::transform_reduce, but
    /// need not be commutative.
    ///
    ///     const auto sum = pool.transform_reduce(hardwork::range(0, 1'000'000), 0.0, std::plus<>{}, expensive);
    ///
    /// @param range Any input range; it is read as the workers need it. How many items a run has is chosen on the way.
    /// @param init The value to begin with, and the result if there are no items. Its type is that of the result, and one
    ///     that is Returnable.
    /// @param reduce Makes one of two: `T reduce(T, T)`. A callable that can travel; it is called here too.
    /// @param transform Makes of an item what can be converted to T. A callable that can travel.
    /// @return The value.
    /// @throws What map() throws, what Future::get throws, what `reduce` throws here.
    template <std::ranges::input_range Range, class T, class Reduce, class Transform>
    T transform_reduce(Range&& range, T init, Reduce reduce, Transform transform) {
        using Item = std::ranges::range_value_t<Range>;
        using Plan = detail::Plan<Transform, false, Item>;
        detail::check_returnable<T>();
        detail::check_sendable<Item>();
        detail::check_portable<Reduce>();
        if constexpr (Plan::ok && Returnable<T> && Sendable<Item> && detail::Portable<Reduce>) {
            using Parameter = typename detail::OnlyOne<typename Plan::Arguments>::type;
            using Fold = detail::Fold<Item, Parameter, T, Reduce, Transform>;
            detail::Runs<std::remove_reference_t<Range>, Item> runs(range, workers());
            for (T& part : map(Fold{reduce, std::move(transform)}, runs))
                init = T(detail::call_unchanged(reduce, std::move(init), std::move(part)));
        }
        return init;
    }

    /// The end of the pool: it takes no more tasks. May be called again.
    ///
    ///     pool.shutdown();                                       // all tasks are done, all workers have ended
    ///     pool.shutdown(ShutdownMode::cancel);                   // at once; what has not started never will
    ///     pool.shutdown(ShutdownMode::cancel | ShutdownMode::wait);
    ///
    /// On a thread of the pool's own (in a callback of a future or a hook) it never waits.
    /// @param mode Whether to wait until all tasks are done and all workers have ended, and whether to cancel what has
    ///     not started.
    void shutdown(ShutdownMode mode = ShutdownMode::wait) { core().shutdown(mode); }

    /// The end of the pool, now: workers are killed, whatever they are doing. Every Future and map that is not done gets
    /// Cancelled. Waits until the workers have ended, but not on a thread of the pool's own.
    void kill() { core().kill(); }

    /// The process ids of the workers that live now.
    std::vector<std::int32_t> pids() const { return core().pids(); }

    /// How many workers the pool has, or will have when they are born.
    int workers() const { return core().workers(); }

  private:
    friend struct detail::PoolAccess;

    detail::PoolCore& core() const {
        if (!core_) detail::throw_invalid_pool();
        return *core_;
    }

    template <class F, class R, class... T, class... A>
    detail::TaskHandle submit_as(const F& function, detail::Types<T...>, A&&... arguments) {
        // References where the types are the same: a large vector is encoded from where it is.
        const std::tuple<detail::Held<T, A>...> held(std::forward<A>(arguments)...);
        const auto encode_all = [&](auto& out) {
            if constexpr (detail::Stateful<F>) Codec<F>::encode(out, function);
            std::apply([&](const T&... argument) { (Codec<T>::encode(out, argument), ...); }, held);
        };
        SizeCounter counter;
        encode_all(counter);
        detail::InputBuffer input(*core().engine(), counter.size());
        MemoryWriter writer(input.memory());
        encode_all(writer);
        return core_->submit(core_->number_of(detail::task_code(&detail::run_task<F, R, T...>, function)), input);
    }

    template <bool wants_result, class F, class Range>
    auto start_map(const F& function, Range&& range, detail::MapOrder order) {
        using Function = std::decay_t<F>;
        using Item = std::ranges::range_value_t<Range>;
        using Plan = detail::Plan<Function, wants_result, Item>;
        detail::check_sendable<Item>();
        if constexpr (Plan::ok && Sendable<Item>) {
            using Returned = typename detail::ResultOf<Function, typename Plan::Arguments>::type;
            using R = std::conditional_t<wants_result, Returned, void>;
            using Parameter = typename detail::OnlyOne<typename Plan::Arguments>::type;
            const Function& plain = function;
            BufferWriter function_state;
            if constexpr (detail::Stateful<Function>) Codec<Function>::encode(function_state, plain);
            auto state = core().start_map(detail::item_code(&detail::run_item<Function, R, Item, Parameter>, plain),
                                          function_state.bytes(), order);
            detail::feed_map<Item>(*state, std::forward<Range>(range));
            return MapResult<R>(nullptr, std::move(state));
        }
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
/// @param function What shall run, of one parameter; see ProcessPool.
/// @param range Any input range.
/// @param options As for a ProcessPool.
template <class F, std::ranges::input_range Range>
auto map(F&& function, Range&& range, Options options = {}) {
    ProcessPool pool(std::move(options));
    auto results = pool.map(std::forward<F>(function), std::forward<Range>(range));
    return detail::PoolAccess::keep_with(std::move(results), std::move(pool));
}

}  // namespace hardwork
