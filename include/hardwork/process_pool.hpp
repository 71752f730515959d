// A pool of worker processes for C++ functions.
#pragma once

#include <cstdint>
#include <memory>
#include <ranges>
#include <type_traits>
#include <vector>

#include "hardwork/call.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"

namespace hardwork {

namespace detail {

// What a pool does that needs no templates.
class PoolCore {
  public:
    explicit PoolCore(const Options& options);
    std::uint32_t number_of(const FunctionCode& code);
    TaskHandle submit(std::uint32_t function, const EncodedBytes& arguments);
    Job* start_job(std::uint32_t function);
    void add_integers(Job* job, std::int64_t start, std::uint64_t count);
    void add_items(Job* job, const std::vector<std::uint64_t>& ends, const EncodedBytes& items);
    JobHandle seal(Job* job);
    void shutdown(bool wait, bool cancel);
    std::vector<std::int32_t> pids();

  private:
    struct Functions;
    std::shared_ptr<Engine> engine_;
    std::shared_ptr<Functions> functions_;
};

template <class Range>
inline constexpr bool is_iota = false;
template <std::integral T, std::integral Bound>
inline constexpr bool is_iota<std::ranges::iota_view<T, Bound>> = true;

// About this many bytes of items travel together.
inline constexpr std::size_t kChunkBytes = 256 * 1024;

}  // namespace detail

// Workers are forked from a template that is forked from this process when the pool is made. So make pools before
// starting threads: a process with threads of its own gets std::logic_error, because locks that other threads hold
// would stay held in every worker.
//
// One pool may be used from several threads.
class ProcessPool {
  public:
    // Throws std::invalid_argument for options that make no sense, std::logic_error in a process with threads, and
    // std::system_error for what the system refuses.
    explicit ProcessPool(const Options& options = {}) : core_(std::make_unique<detail::PoolCore>(options)) {}
    ProcessPool(ProcessPool&&) = default;
    ProcessPool& operator=(ProcessPool&&) = delete;
    // Waits for all tasks, then ends the workers.
    ~ProcessPool() {
        if (core_ != nullptr) core_->shutdown(true, false);
    }

    // Calls function(arguments...) in a worker. Throws BrokenPool, or std::logic_error after shutdown.
    template <class F, class... Args>
    auto submit(F function, Args&&... arguments) {
        static_assert(detail::Addressable<F>,
                      "hardwork: only functions and lambdas without captures can travel to another process");
        using Traits = detail::FunctionTraits<detail::AddressOf<F>>;
        static_assert(Traits::arity == sizeof...(Args), "hardwork: the function takes another number of arguments");
        static_assert(Traits::travels,
                      "hardwork: a parameter or the result has no Codec (pointers and views cannot travel)");
        EncodedBytes bytes;
        Traits::write(bytes, std::forward<Args>(arguments)...);
        return Future<typename Traits::Decayed>(core_->submit(core_->number_of(Traits::code(+function)), bytes));
    }

    // Calls function with each element, side by side. Results come lazily and in order; integers from std::views::iota
    // travel as numbers, other elements in batches. All input is read at the call.
    template <class F, std::ranges::input_range Range>
    auto map(F function, Range&& range) {
        static_assert(detail::Addressable<F>,
                      "hardwork: only functions and lambdas without captures can travel to another process");
        using Traits = detail::FunctionTraits<detail::AddressOf<F>>;
        static_assert(Traits::arity == 1, "hardwork: map takes functions of one parameter");
        static_assert(Traits::travels && !std::is_void_v<typename Traits::Result>,
                      "hardwork: the parameter or the result has no Codec (pointers and views cannot travel)");
        const detail::FunctionCode code = Traits::code(+function);
        Job* job = core_->start_job(core_->number_of(code));
        try {
            if constexpr (detail::is_iota<std::remove_cvref_t<Range>>) {
                if (!std::ranges::empty(range)) {
                    core_->add_integers(job, static_cast<std::int64_t>(*std::ranges::begin(range)),
                                        static_cast<std::uint64_t>(std::ranges::size(range)));
                }
            } else {
                EncodedBytes items;
                std::vector<std::uint64_t> ends;
                for (auto&& element : range) {
                    Traits::write(items, std::forward<decltype(element)>(element));
                    ends.push_back(items.size());
                    if (items.size() < detail::kChunkBytes) continue;
                    core_->add_items(job, ends, items);
                    items.clear();
                    ends.clear();
                }
                if (!ends.empty()) core_->add_items(job, ends, items);
            }
        } catch (...) {
            core_->seal(job);  // the handle dies here: what has not started is cancelled
            throw;
        }
        return MapResult<typename Traits::Decayed>(core_->seal(job));
    }

    // No more submits. wait: until every task is done and every worker has gone. cancel: what has not started is
    // cancelled.
    void shutdown(bool wait = true, bool cancel = false) { core_->shutdown(wait, cancel); }

    // The living workers' process ids.
    std::vector<std::int32_t> pids() const { return core_->pids(); }

  private:
    std::unique_ptr<detail::PoolCore> core_;
};

// One map with a pool of its own.
template <class F, std::ranges::input_range Range>
auto map(F function, Range&& range, const Options& options = {}) {
    ProcessPool pool(options);
    auto results = pool.map(function, std::forward<Range>(range));
    using T = typename decltype(results)::iterator::value_type;
    std::vector<T> all;
    for (auto& result : results)
        all.push_back(std::move(result));
    return all;
}

}  // namespace hardwork
