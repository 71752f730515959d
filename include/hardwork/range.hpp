/// @file
/// The numbers of an interval as a range that travels as two numbers.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace hardwork {

/// The integers from `first` up to but not including `last`: what std::ranges::iota_view<T, T> is, and, in contrast to
/// it, with every compiler (clang before 16 cannot read the views of libstdc++). Made by range().
template <std::integral T>
class NumberRange {
  public:
    /// Counts up.
    class iterator {
      public:
        using iterator_concept = std::forward_iterator_tag;  ///< May be walked again.
        using value_type = T;                                ///< A number.
        using difference_type = std::ptrdiff_t;              ///< As every iterator has one.

        iterator() = default;
        /// Stands at a number.
        explicit constexpr iterator(T at) : at_(at) {}
        /// The number.
        constexpr T operator*() const { return at_; }
        /// The next number.
        constexpr iterator& operator++() {
            ++at_;
            return *this;
        }
        /// The next number; gives where it stood.
        constexpr iterator operator++(int) {
            const iterator before = *this;
            ++*this;
            return before;
        }
        /// Whether both stand at the same number.
        constexpr bool operator==(const iterator&) const = default;

      private:
        T at_ = 0;
    };

    /// See range().
    constexpr NumberRange(T first, T last) : first_(first), last_(first < last ? last : first) {}
    /// The first number.
    constexpr iterator begin() const { return iterator(first_); }
    /// Behind the last number.
    constexpr iterator end() const { return iterator(last_); }
    /// How many there are.
    constexpr std::uint64_t size() const {
        return static_cast<std::uint64_t>(last_) - static_cast<std::uint64_t>(first_);
    }

  private:
    T first_;
    T last_;
};

/// The integers from `first` up to but not including `last`; none if last is not larger.
template <std::integral T>
constexpr NumberRange<T> range(T first, T last) {
    return {first, last};
}

}  // namespace hardwork
