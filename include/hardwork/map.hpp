/// @file
/// The results of a map, in the order of its input, as they come.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "hardwork/codec.hpp"
#include "hardwork/detail/map_state.hpp"
#include "hardwork/detail/pool_core.hpp"
#include "hardwork/detail/result_codec.hpp"

namespace hardwork {

template <class T>
class TryMapResult;

/// What ProcessPool::map gives: a range to be read once, from front to back, while workers are still at it.
///
///     for (auto& factors : pool.map(factorize, std::views::iota(100, 1'000'000))) use(factors);
///
/// An item whose task failed throws when its iterator is dereferenced: what Future::get throws. The iterator can go on to the next item after that. (After BrokenPool and Cancelled there is none.)
///
/// Its destructor never blocks; what has not started by then never will.
///
/// @tparam T What the function returns; for void each item is a std::monostate.
template <class T>
class MapResult {
  public:
    /// What an item is.
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    /// Reads the results; one pass.
    class iterator {
      public:
        using iterator_concept = std::input_iterator_tag;  ///< One pass only.
        using value_type = Value;                          ///< What an item is.
        using difference_type = std::ptrdiff_t;            ///< As every iterator has one.

        iterator() = default;
        /// The current item; it is decoded the first time, and may be moved from.
        /// @throws What its task ended with, if not with a value.
        Value& operator*() const { return result_->current(); }
        /// Goes on to the next item; waits until it is there.
        iterator& operator++() {
            result_->advance();
            return *this;
        }
        /// As ++it.
        void operator++(int) { ++*this; }
        /// Whether there are no more items.
        bool operator==(std::default_sentinel_t) const { return result_->at_end_; }

      private:
        friend class MapResult;
        explicit iterator(MapResult* result) : result_(result) {}
        MapResult* result_ = nullptr;
    };

    /// Takes over the items that another has not read yet. Iterators of the other are invalid then.
    MapResult(MapResult&&) noexcept = default;
    /// Lets go of its own items, and takes over those of another.
    MapResult& operator=(MapResult&& other) noexcept {
        if (this != &other) {
            state_.reset();  // before the pool that it may be the last to need
            pool_ = std::move(other.pool_);
            state_ = std::move(other.state_);
            value_ = std::move(other.value_);
            begun_ = other.begun_;
            at_end_ = other.at_end_;
        }
        return *this;
    }
    ~MapResult() = default;

    /// The first item that has not been passed; waits until it is there.
    iterator begin() {
        if (!begun_) {
            begun_ = true;
            advance();
        }
        return iterator(this);
    }
    /// The end.
    std::default_sentinel_t end() const noexcept { return {}; }

    /// Cancels what has not started. What is done can still be read; then comes an item that throws Cancelled.
    void cancel() {
        if (state_) state_->cancel();
    }

  private:
    friend class PoolCalls;
    friend class TryMapResult<T>;
    friend struct detail::PoolAccess;
    MapResult(std::shared_ptr<detail::PoolCore> pool, std::shared_ptr<detail::MapState> state)
        : pool_(std::move(pool)), state_(std::move(state)) {}

    void advance() {
        value_.reset();
        at_end_ = !state_ || !state_->next();
    }
    Value& current() {
        if (!value_) {
            if constexpr (std::is_void_v<T>) {
                state_->value();
                value_.emplace();
            } else {
                value_.emplace(detail::ResultCodec<T>::read(*state_));
            }
        }
        return *value_;
    }

    std::shared_ptr<detail::PoolCore> pool_;  // only if it was made for this map alone
    std::shared_ptr<detail::MapState> state_;
    std::optional<Value> value_;
    bool begun_ = false;
    bool at_end_ = false;
};

}  // namespace hardwork
