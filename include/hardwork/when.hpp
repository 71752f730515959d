/// @file
/// Several futures at once: when_all, when_any, as_completed.
#pragma once

#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/future.hpp"

namespace hardwork {

namespace detail {
template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<Future<T>> = true;
}  // namespace detail

/// A range of Future<T>, for any T.
template <class Range>
concept FutureRange = std::ranges::input_range<Range> && detail::is_future<std::ranges::range_value_t<Range>>;

/// What when_any gives.
template <class Futures>
struct WhenAny {
    /// Instead of an index, if there were no futures.
    static constexpr std::size_t none = ~std::size_t{0};
    /// Which of them was done first.
    std::size_t index = none;
    /// All of them, as they were given; those that were not done then may still be waited for.
    Futures futures;
};

namespace detail {

template <class Futures, class Use>
void each_future(Futures& futures, Use use) {
    if constexpr (std::ranges::range<Futures>) {
        for (auto& future : futures)
            use(future);
    } else {
        std::apply([&](auto&... future) { (use(future), ...); }, futures);
    }
}

// Futures that wait for each other's end: given back when `wanted` of them are done, but not before all were looked at.
template <class Futures, class Given>
class Combination {
  public:
    Combination(Futures futures, bool first_is_enough) : futures_(std::move(futures)), any_(first_is_enough) {}

    static Future<Given> start(Futures futures, bool first_is_enough) {
        auto combination = std::make_shared<Combination>(std::move(futures), first_is_enough);
        std::shared_ptr<Engine> engine;
        std::vector<std::shared_ptr<Shared>> parts;
        each_future(combination->futures_, [&](auto& future) { parts.push_back(FutureAccess::share(future)); });
        if (!parts.empty()) engine = parts.front()->engine();
        auto promise = std::make_shared<Promise<Given>>(engine);
        combination->promise_ = promise;
        combination->waiting_ = parts.size();
        for (std::size_t i = 0; i < parts.size(); ++i)
            parts[i]->on_done(continuation([combination, i] { combination->done(i); }));
        combination->all_told();
        return FutureAccess::make(std::move(promise));
    }

  private:
    void done(std::size_t index) {
        {
            const std::lock_guard hold(lock_);
            --waiting_;
            if (first_ == WhenAny<Futures>::none) first_ = index;
        }
        finish();
    }
    void all_told() {
        {
            const std::lock_guard hold(lock_);
            told_ = true;
        }
        finish();
    }
    void finish() {
        {
            const std::lock_guard hold(lock_);
            const bool enough = waiting_ == 0 || (any_ && first_ != WhenAny<Futures>::none);
            if (!told_ || !enough || finished_) return;
            finished_ = true;
        }
        if constexpr (std::is_same_v<Given, Futures>) {
            promise_->fulfil(std::move(futures_));
        } else {
            promise_->fulfil(Given{first_, std::move(futures_)});
        }
        promise_.reset();
    }

    std::mutex lock_;
    Futures futures_;
    const bool any_;
    bool told_ = false;
    bool finished_ = false;
    std::size_t waiting_ = 0;
    std::size_t first_ = WhenAny<Futures>::none;
    std::shared_ptr<Promise<Given>> promise_;
};

template <class Range>
auto to_vector(Range&& range) {
    std::vector<std::ranges::range_value_t<Range>> futures;
    for (auto& future : range)
        futures.push_back(std::move(future));
    return futures;
}

}  // namespace detail

/// A Future of all the futures of a range, when each of them is done, however it ended. They are moved from.
///
///     for (auto& future : hardwork::when_all(futures).get()) use(future.get());
///
/// @throws InvalidFuture if one of them has no task.
template <FutureRange Range>
auto when_all(Range&& range) {
    using Futures = std::vector<std::ranges::range_value_t<Range>>;
    return detail::Combination<Futures, Futures>::start(detail::to_vector(range), false);
}

/// A Future of a tuple of all the futures, when each of them is done, however it ended.
///
///     auto [image, text] = hardwork::when_all(pool.submit(load, file), pool.submit(read, file)).get();
///
/// @throws InvalidFuture if one of them has no task.
template <class... T>
auto when_all(Future<T>... futures) {
    using Futures = std::tuple<Future<T>...>;
    return detail::Combination<Futures, Futures>::start(Futures(std::move(futures)...), false);
}

/// A Future of all the futures of a range, and of which one was done first, as soon as one is. They are moved from. With
/// an empty range it is done at once, with WhenAny::none.
/// @throws InvalidFuture if one of them has no task.
template <FutureRange Range>
auto when_any(Range&& range) {
    using Futures = std::vector<std::ranges::range_value_t<Range>>;
    return detail::Combination<Futures, WhenAny<Futures>>::start(detail::to_vector(range), true);
}

/// A Future of a tuple of all the futures, and of which one was done first, as soon as one is.
/// @throws InvalidFuture if one of them has no task.
template <class... T>
auto when_any(Future<T>... futures) {
    using Futures = std::tuple<Future<T>...>;
    return detail::Combination<Futures, WhenAny<Futures>>::start(Futures(std::move(futures)...), true);
}

/// What as_completed gives: a range, to be read once, of references to futures that are done.
template <class Futures>
class AsCompleted {
  public:
    /// A Future<T>.
    using value_type = std::ranges::range_value_t<Futures>;

    /// Reads them; one pass.
    class iterator {
      public:
        using iterator_concept = std::input_iterator_tag;  ///< One pass only.
        using value_type = AsCompleted::value_type;        ///< A Future<T>.
        using difference_type = std::ptrdiff_t;            ///< As every iterator has one.

        iterator() = default;
        /// The future; it is done.
        value_type& operator*() const { return *all_->futures_[all_->current_]; }
        /// Waits for the next one.
        iterator& operator++() {
            all_->advance();
            return *this;
        }
        /// As ++it.
        void operator++(int) { ++*this; }
        /// Whether there are no more.
        bool operator==(std::default_sentinel_t) const { return all_->at_end_; }

      private:
        friend class AsCompleted;
        explicit iterator(AsCompleted* all) : all_(all) {}
        AsCompleted* all_ = nullptr;
    };

    /// See as_completed().
    explicit AsCompleted(Futures futures)
        : kept_(std::forward<Futures>(futures)), queue_(std::make_shared<detail::ReadyQueue>()) {
        std::vector<std::shared_ptr<detail::Shared>> parts;
        for (auto& future : kept_) {
            parts.push_back(detail::FutureAccess::share(future));
            futures_.push_back(std::addressof(future));
        }
        if (!parts.empty()) engine_ = parts.front()->engine();
        for (std::size_t i = 0; i < parts.size(); ++i)
            parts[i]->on_done(detail::continuation([queue = queue_, i] { queue->push(i); }));
    }
    AsCompleted(const AsCompleted&) = delete;
    AsCompleted& operator=(const AsCompleted&) = delete;
    ~AsCompleted() = default;

    /// The first that is done; waits for it.
    iterator begin() {
        if (!begun_) advance();
        begun_ = true;
        return iterator(this);
    }
    /// The end.
    std::default_sentinel_t end() const noexcept { return {}; }

  private:
    void advance() {
        at_end_ = given_ == futures_.size();
        if (at_end_) return;
        current_ = queue_->pop(engine_.get());
        ++given_;
    }

    Futures kept_;  // a reference, if that is what was given
    std::vector<value_type*> futures_;
    std::shared_ptr<detail::ReadyQueue> queue_;
    std::shared_ptr<Engine> engine_;
    std::size_t given_ = 0;
    std::size_t current_ = 0;
    bool begun_ = false;
    bool at_end_ = false;
};

/// The futures of a container, each as soon as it is done, however it ended.
///
///     std::vector<hardwork::Future<int>> futures = ...;
///     for (auto& future : hardwork::as_completed(futures)) use(future.get());
///
/// @param futures A container of futures, which must neither go nor change until all have been seen; given as an rvalue,
///     it is kept.
/// @throws InvalidFuture if one of them has no task. Its iterators throw WrongProcess in a fork of the process, and
///     WouldWaitForever in a callback.
template <class Futures>
requires FutureRange<std::remove_reference_t<Futures>> && std::ranges::forward_range<std::remove_reference_t<Futures>>
auto as_completed(Futures&& futures) { return AsCompleted<Futures>(std::forward<Futures>(futures)); }

}  // namespace hardwork
