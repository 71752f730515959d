/// @file
/// The pool: worker processes that run functions of this program.
#pragma once

#include <cstdint>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include "hardwork/detail/pool_core.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"
#include "hardwork/pool_calls.hpp"
#include "hardwork/result.hpp"
#include "hardwork/stats.hpp"

namespace hardwork {

/// A pool of worker processes.
///
///     hardwork::ProcessPool pool({.workers = 4});
///     hardwork::Future<double> f = pool.submit(risky, 42, "name");  // f.get() throws WorkerDied if risky() crashed
///     for (auto& factors : pool.map(factorize, std::views::iota(100, 1'000'000))) use(factors);
///
/// The constructor makes a copy of the program by fork, which stays as it is. A fork of that is the template process, from
/// which all workers are forked, also those that replace one that died; one that replaces the template itself is, too.
/// So workers see the program (its variables, open files, loaded libraries) as it was when the pool was made, whatever
/// has changed since. Make pools early, before threads are started, or call Template::prepare() there. Standard output buffers
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
class ProcessPool : public PoolCalls {
  public:
    /// Starts the template process; the workers are born meanwhile, and the constructor does not wait for them.
    /// @param options How many workers, and more.
    /// @throws InvalidOption for a number of workers that cannot be; MultithreadedProgram; SystemError; BrokenPool if the
    ///     process that Template::prepare() has made was killed.
    explicit ProcessPool(Options options = {}) : ProcessPool(detail::PoolCore::make(std::move(options))) {}
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
            limits_ = std::move(other.limits_);
        }
        return *this;
    }
    /// shutdown(): waits for the tasks and the workers.
    ~ProcessPool() {
        if (core_) core_->shutdown(ShutdownMode::wait);
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

    /// What the pool has done so far.
    /// @throws WrongProcess, InvalidPool.
    PoolStats stats() const { return core().stats(); }

    /// The process ids of the workers that live now.
    std::vector<std::int32_t> pids() const { return core().pids(); }

    /// How many workers the pool has, or will have when they are born.
    int workers() const { return core().workers(); }

  private:
    friend struct detail::PoolAccess;

    explicit ProcessPool(std::shared_ptr<detail::PoolCore> core) : PoolCalls(core, core->limits()) {}
};

namespace detail {
// What only the free map may do: the pool it made goes with its results.
struct PoolAccess {
    template <class T>
    static MapResult<T> keep_with(MapResult<T> results, ProcessPool pool) {
        results.pool_ = std::move(pool.core_);
        return results;
    }
    template <class T>
    static TryMapResult<T> keep_with(TryMapResult<T> results, ProcessPool pool) {
        results.results_.pool_ = std::move(pool.core_);
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

/// As ProcessPool::try_map, with a pool of its own that ends with the TryMapResult.
/// @param function What shall run, of one parameter; see ProcessPool.
/// @param range Any input range.
/// @param options As for a ProcessPool.
/// @return A Result of a TryMapResult.
template <class F, std::ranges::input_range Range>
auto try_map(F&& function, Range&& range, Options options = {}) noexcept {
    auto pool = ProcessPool::try_make(std::move(options));
    using Results = decltype(pool->try_map(std::forward<F>(function), std::forward<Range>(range)));
    if (!pool) return Results(pool.error());
    Results results = pool->try_map(std::forward<F>(function), std::forward<Range>(range));
    if (!results) return results;
    return Results(detail::PoolAccess::keep_with(std::move(*results), std::move(*pool)));
}

}  // namespace hardwork
