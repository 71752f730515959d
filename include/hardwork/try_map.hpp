/// @file
/// The results of a map as values, for those who do not want exceptions.
#pragma once

#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include "hardwork/detail/attempt.hpp"
#include "hardwork/map.hpp"
#include "hardwork/result.hpp"

namespace hardwork {

/// What ProcessPool::try_map gives: as MapResult, but each item is a Result, and nothing throws.
///
///     auto results = pool.try_map(factorize, hardwork::range(100, 1'000'000));
///     if (!results) return report(results.error());
///     for (hardwork::Result<Factors>& item : *results) item ? use(*item) : report(item.error());
///
/// After an item with FailureKind::broken_pool, cancelled or wrong_process there is none.
///
/// @tparam T What the function returns; may be void.
template <class T>
class TryMapResult {
  public:
    /// Reads the results; one pass.
    class iterator {
      public:
        using iterator_concept = std::input_iterator_tag;  ///< One pass only.
        using value_type = Result<T>;                      ///< What an item is.
        using difference_type = std::ptrdiff_t;            ///< As every iterator has one.

        iterator() = default;
        /// The current item, as a value or as why there is none; it may be moved from.
        Result<T>& operator*() const noexcept { return *results_->item_; }
        /// As (*it).
        Result<T>* operator->() const noexcept { return &*results_->item_; }
        /// Goes on to the next item; waits until it is there.
        iterator& operator++() noexcept {
            results_->advance();
            return *this;
        }
        /// As ++it.
        void operator++(int) noexcept { ++*this; }
        /// Whether there are no more items.
        bool operator==(std::default_sentinel_t) const noexcept { return !results_->item_.has_value(); }

      private:
        friend class TryMapResult;
        explicit iterator(TryMapResult* results) : results_(results) {}
        TryMapResult* results_ = nullptr;
    };

    /// The first item that has not been passed; waits until it is there.
    iterator begin() noexcept {
        if (!begun_) {
            begun_ = true;
            advance();
        }
        return iterator(this);
    }
    /// The end.
    std::default_sentinel_t end() const noexcept { return {}; }

    /// As MapResult::cancel.
    void cancel() noexcept {
        detail::attempt([this] { results_.cancel(); });
    }

  private:
    friend class PoolCalls;
    friend struct detail::PoolAccess;
    explicit TryMapResult(MapResult<T> results) : results_(std::move(results)) {}

    void advance() noexcept {
        item_.reset();
        if (over_) return;
        if (std::exception_ptr thrown = detail::attempt([this] { results_.advance(); })) {
            over_ = true;
            item_.emplace(Failure(std::move(thrown)));
            return;
        }
        over_ = results_.at_end_;
        if (over_) return;
        if (std::exception_ptr thrown = detail::attempt([this] { results_.current(); })) {
            item_.emplace(Failure(std::move(thrown)));
        } else {
            item_.emplace(std::move(*results_.value_));
        }
    }

    MapResult<T> results_;
    std::optional<Result<T>> item_;
    bool begun_ = false;
    bool over_ = false;
};

}  // namespace hardwork
