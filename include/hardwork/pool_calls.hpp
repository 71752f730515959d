/// @file
/// What a pool and a view on it can do with functions and ranges: written once for both.
#pragma once

#include <cstdint>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/detail/call.hpp"
#include "hardwork/detail/fold.hpp"
#include "hardwork/detail/map_source.hpp"
#include "hardwork/detail/pool_core.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"
#include "hardwork/result.hpp"
#include "hardwork/try_map.hpp"

namespace hardwork {

class PoolView;

/// The calls that give work to a pool: of a ProcessPool, and of a PoolView, which has other limits for its tasks.
class PoolCalls {
  public:
    /// Runs `function(arguments...)` in a worker.
    /// @param function What shall run; see ProcessPool.
    /// @param arguments Are converted to the types of its parameters and encoded now.
    /// @return A Future of what it returns (without reference and const).
    /// @throws ShutDown, BrokenPool, WrongProcess, InvalidPool, std::bad_alloc, what a Codec throws.
    template <class F, class... A>
    auto submit(F&& function, A&&... arguments) const {
        using Function = std::decay_t<F>;
        using Plan = detail::Plan<Function, true, A...>;
        if constexpr (Plan::ok) {
            using R = typename detail::ResultOf<Function, typename Plan::Arguments>::type;
            const Function& plain = function;
            return Future<R>(submit_as<Function, R>(plain, typename Plan::Arguments{}, std::forward<A>(arguments)...),
                             &detail::read_value<R>);
        }
    }

    /// As submit(), without exceptions: what submit() would throw is the Result's error().
    template <class F, class... A>
    auto try_submit(F&& function, A&&... arguments) const noexcept {
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
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    /// @return The results in the order of the items, as a range that is read once.
    /// @throws ShutDown, BrokenPool, WrongProcess, InvalidPool, std::bad_alloc, what a Codec or the range throws.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range) const {
        return start_map<true>(function, std::forward<Range>(range), detail::MapOrder::of_items);
    }

    /// As map(), but the results come as they are made: none waits for those of the items before it.
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    /// @return The results in no order, as a range that is read once.
    /// @throws What map() throws.
    template <class F, std::ranges::input_range Range>
    auto map_unordered(F&& function, Range&& range) const {
        return start_map<true>(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
    }

    /// As map(), without exceptions: what map() would throw is the Result's error(), and each item is a Result too. In a
    /// program that is built with -fno-exceptions, what had been written of the items is not freed if one cannot be encoded.
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    /// @return A Result of a TryMapResult.
    template <class F, std::ranges::input_range Range>
    auto try_map(F&& function, Range&& range) const noexcept {
        return try_results(function, std::forward<Range>(range), detail::MapOrder::of_items);
    }

    /// As try_map(), but the results come as they are made.
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    /// @return A Result of a TryMapResult.
    template <class F, std::ranges::input_range Range>
    auto try_map_unordered(F&& function, Range&& range) const noexcept {
        return try_results(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
    }

    /// Runs `function(item)` for each item of a range and waits until all are done. What the function returns is not
    /// wanted, and needs no Codec.
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    /// @throws What map() throws; and, as the first of the items that fails does so, what Future::get throws. Those that
    ///     have not started by then never will.
    template <class F, std::ranges::input_range Range>
    void for_each(F&& function, Range&& range) const {
        using Plan = detail::Plan<std::decay_t<F>, false, std::ranges::range_value_t<Range>>;
        if constexpr (Plan::ok) {
            auto results = start_map<false>(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
            for (auto at = results.begin(); at != results.end(); ++at)
                static_cast<void>(*at);
        }
    }

    /// As for_each(), without exceptions: what it would throw is the Result's error().
    /// @param function What shall run, of one parameter; see ProcessPool.
    /// @param range Any input range.
    template <class F, std::ranges::input_range Range>
    Result<void> try_for_each(F&& function, Range&& range) const noexcept {
        using Plan = detail::Plan<std::decay_t<F>, false, std::ranges::range_value_t<Range>>;
        if constexpr (Plan::ok) {
            auto results = try_start_map<false>(function, std::forward<Range>(range), detail::MapOrder::as_they_come);
            if (!results) return results.error();
            TryMapResult<void> items(std::move(*results));
            for (Result<void>& item : items) {
                if (!item) return item.error();
            }
        }
        return {};
    }

    /// Reduces `transform(item)` of all items of a range to one value: runs of neighbouring items in the workers, and what
    /// those give, in their order, in this process. So `reduce` must be associative, as for std::transform_reduce, but
    /// need not be commutative.
    ///
    ///     const auto sum = pool.transform_reduce(hardwork::range(0, 1'000'000), 0.0, std::plus<>{}, expensive);
    ///
    /// A time limit, and retries, are for each run.
    ///
    /// @param range Any input range; it is read as the workers need it. How many items a run has is chosen on the way.
    /// @param init The value to begin with, and the result if there are no items. Its type is that of the result, and one
    ///     that is Returnable.
    /// @param reduce Makes one of two: `T reduce(T, T)`. A callable that can travel; it is called here too.
    /// @param transform Makes of an item what can be converted to T. A callable that can travel.
    /// @return The value.
    /// @throws What map() throws, what Future::get throws, what `reduce` throws here.
    template <std::ranges::input_range Range, class T, class Reduce, class Transform>
    T transform_reduce(Range&& range, T init, Reduce reduce, Transform transform) const {
        using Item = std::ranges::range_value_t<Range>;
        using Plan = detail::Plan<Transform, false, Item>;
        detail::check_returnable<T>();
        detail::check_sendable<Item>();
        detail::check_portable<Reduce>();
        if constexpr (Plan::ok && Returnable<T> && Sendable<Item> && detail::Portable<Reduce>) {
            using Parameter = typename detail::OnlyOne<typename Plan::Arguments>::type;
            using Fold = detail::Fold<Item, Parameter, T, Reduce, Transform>;
            detail::Runs<std::remove_reference_t<Range>, Item> runs(range, core().workers());
            for (T& part : map(Fold{reduce, std::move(transform)}, runs))
                init = T(detail::call_unchanged(reduce, std::move(init), std::move(part)));
        }
        return init;
    }

    /// As transform_reduce(), without exceptions: what it would throw is the Result's error().
    /// @param range Any input range.
    /// @param init The value to begin with.
    /// @param reduce Makes one of two.
    /// @param transform Makes of an item what can be converted to T.
    template <std::ranges::input_range Range, class T, class Reduce, class Transform>
    Result<T> try_transform_reduce(Range&& range, T init, Reduce reduce, Transform transform) const noexcept {
        using Item = std::ranges::range_value_t<Range>;
        using Plan = detail::Plan<Transform, false, Item>;
        detail::check_returnable<T>();
        detail::check_sendable<Item>();
        detail::check_portable<Reduce>();
        if constexpr (Plan::ok && Returnable<T> && Sendable<Item> && detail::Portable<Reduce>) {
            using Parameter = typename detail::OnlyOne<typename Plan::Arguments>::type;
            using Fold = detail::Fold<Item, Parameter, T, Reduce, Transform>;
            const Result<int> workers = detail::result_of([this] { return core().workers(); });
            if (!workers) return workers.error();
            detail::Runs<std::remove_reference_t<Range>, Item> runs(range, *workers);
            auto parts = try_map(Fold{reduce, std::move(transform)}, runs);
            if (!parts) return parts.error();
            for (Result<T>& part : *parts) {
                if (!part) return part.error();
                std::exception_ptr thrown = detail::attempt(
                    [&] { init = T(detail::call_unchanged(reduce, std::move(init), std::move(*part))); });
                if (thrown != nullptr) return Failure(std::move(thrown));
            }
        }
        return Result<T>(std::move(init));
    }

    /// The same workers, for tasks with other limits:
    ///
    ///     auto hurried = pool.with({.timeout = 200ms, .retries = 2});
    ///     auto future = hurried.submit(work, 42);  // TaskTimeout after 200 ms; run again if its worker dies
    ///
    /// @param options What is left alone in them is as for the tasks of this one.
    /// @return A view, to be kept and used as often as wanted.
    /// @throws InvalidOption for a time that cannot be; WrongProcess, InvalidPool.
    PoolView with(const TaskOptions& options) const;

    // For the classes that derive from this one.
    /// @cond
  protected:
    PoolCalls() = default;
    PoolCalls(std::shared_ptr<detail::PoolCore> core, std::shared_ptr<const detail::KeptLimits> limits)
        : core_(std::move(core)), limits_(std::move(limits)) {}
    PoolCalls(const PoolCalls&) = default;
    PoolCalls(PoolCalls&&) noexcept = default;
    PoolCalls& operator=(const PoolCalls&) = default;
    PoolCalls& operator=(PoolCalls&&) noexcept = default;
    ~PoolCalls() = default;

    detail::PoolCore& core() const {
        if (!core_) detail::throw_invalid_pool();
        return *core_;
    }

    std::shared_ptr<detail::PoolCore> core_;
    std::shared_ptr<const detail::KeptLimits> limits_;  // nullptr: none
                                                        /// @endcond

  private:
    std::uint32_t limits_number() const { return limits_ ? limits_->number() : 0; }

    template <class F, class R, class... T, class... A>
    detail::TaskHandle submit_as(const F& function, detail::Types<T...>, A&&... arguments) const {
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
        return core_->submit(core_->number_of(detail::task_code(&detail::run_task<F, R, T...>, function)), input,
                             limits_number());
    }

    template <bool wants_result, class F, class Range>
    auto start_map(const F& function, Range&& range, detail::MapOrder order) const {
        auto started = try_start_map<wants_result>(function, std::forward<Range>(range), order);
        if constexpr (!std::is_same_v<decltype(started), Refused>) return std::move(started).value();
    }

    // What a map is that the compiler has refused.
    struct Refused {};

    // Where the program has no exceptions, those that end this pass no frame that holds anything but a span half written.
    template <bool wants_result, class F, class Range>
    auto try_start_map(const F& function, Range&& range, detail::MapOrder order) const {
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
            std::shared_ptr<detail::MapState> state;
            std::exception_ptr thrown = detail::attempt([&] {
                if constexpr (detail::Stateful<Function>) Codec<Function>::encode(function_state, plain);
                state = core().start_map(detail::item_code(&detail::run_item<Function, R, Item, Parameter>, plain),
                                         function_state.bytes(), order, limits_number());
                detail::feed_map<Item>(*state, std::forward<Range>(range));
            });
            if (thrown != nullptr) return Result<MapResult<R>>(Failure(std::move(thrown)));
            return Result<MapResult<R>>(MapResult<R>(nullptr, std::move(state)));
        } else {
            return Refused{};
        }
    }

    template <class F, class Range>
    auto try_results(const F& function, Range&& range, detail::MapOrder order) const {
        auto started = try_start_map<true>(function, std::forward<Range>(range), order);
        if constexpr (!std::is_same_v<decltype(started), Refused>) {
            using Results = TryMapResult<typename ItemsOf<decltype(started)>::type>;
            if (!started) return Result<Results>(started.error());
            return Result<Results>(Results(std::move(*started)));
        }
    }

    template <class Started>
    struct ItemsOf;
    template <class T>
    struct ItemsOf<Result<MapResult<T>>> {
        using type = T;
    };
};

}  // namespace hardwork
