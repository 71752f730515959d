// How a range becomes the spans of a map.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/detail/attempt.hpp"
#include "hardwork/detail/map_state.hpp"
#include "hardwork/range.hpp"

namespace hardwork::detail {

template <class Range>
inline constexpr bool is_iota = false;
template <std::integral W, std::integral Bound>
inline constexpr bool is_iota<std::ranges::iota_view<W, Bound>> = true;
template <std::integral T>
inline constexpr bool is_iota<NumberRange<T>> = true;

template <class T>
constexpr std::size_t span_item_size() {
    if constexpr (FixedSize<T>) {
        return Codec<T>::fixed_size;
    } else {
        return 0;
    }
}

// Adds items from `at` on: at most so many, but all of them in whole spans.
template <class T, class Iterator, class Sentinel>
void add_items(MapState& map, Iterator& at, const Sentinel& end, std::uint64_t most) {
    SpanWriter span(span_item_size<T>());
    const std::exception_ptr failure = attempt([&] {
        for (; most != 0 && at != end; ++at, --most) {
            span.add(static_cast<const T&>(*at));
            if (span.full()) span.send(map);
        }
    });
    span.send(map);  // also the items before the one that failed
    if (failure != nullptr) rethrow(failure);
}

// As std::views::all: another's container by reference, everything else by value.
template <class Range>
inline constexpr bool by_reference =
    std::is_lvalue_reference_v<Range> &&
    !(std::ranges::view<std::remove_cvref_t<Range>> && std::copy_constructible<std::remove_cvref_t<Range>>);

// Range: as it was given to map, with its reference.
template <class T, class Range>
class RangeFeeder final : public Feeder {
  public:
    explicit RangeFeeder(std::remove_reference_t<Range>& range) : range_(static_cast<Given>(range)) {}

    bool feed(MapState& map, std::uint32_t most) override {
        // Not before the first item is wanted: where items come from a stream, begin() reads one.
        if (!at_) at_.emplace(std::ranges::begin(range_));
        const auto end = std::ranges::end(range_);
        add_items<T>(map, *at_, end, most);
        return *at_ != end;
    }

  private:
    using Kept = std::conditional_t<by_reference<Range>, Range, std::remove_cvref_t<Range>>;
    using Given = std::conditional_t<std::is_lvalue_reference_v<Range>, Range, Range&&>;
    Kept range_;
    std::optional<std::ranges::iterator_t<Kept>> at_;
};

// A range with a size is taken as a whole, now; any other is kept, and read as results are taken.
template <class T, class Range>
void feed_map(MapState& map, Range&& range) {
    if constexpr (std::ranges::sized_range<Range>) {
        if constexpr (is_iota<std::remove_cvref_t<Range>>) {
            const auto size = static_cast<std::uint64_t>(std::ranges::size(range));
            if (size != 0) map.add_range(static_cast<std::uint64_t>(*std::ranges::begin(range)), size);
        } else {
            auto at = std::ranges::begin(range);
            add_items<T>(map, at, std::ranges::end(range), ~std::uint64_t{0});
        }
        map.seal();
    } else {
        map.feed_from(std::make_unique<RangeFeeder<T, Range>>(range));
    }
}

}  // namespace hardwork::detail
