/// @file
/// Pairs and tuples, element by element.
#pragma once

#include <tuple>
#include <utility>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

/// Pairs.
template <Returnable A, Returnable B>
struct Codec<std::pair<A, B>> : detail::SizeOfAll<A, B> {
    /// Writes both.
    static void encode(auto& out, const std::pair<A, B>& pair) {
        Codec<A>::encode(out, pair.first);
        Codec<B>::encode(out, pair.second);
    }
    /// Reads both.
    static std::pair<A, B> decode(Decoder& in) { return {Codec<A>::decode(in), Codec<B>::decode(in)}; }
};

/// Tuples.
template <Returnable... T>
struct Codec<std::tuple<T...>> : detail::SizeOfAll<T...> {
    /// Writes the elements.
    static void encode([[maybe_unused]] auto& out, const std::tuple<T...>& values) {
        std::apply([&](const T&... value) { (Codec<T>::encode(out, value), ...); }, values);
    }
    /// Reads the elements.
    static std::tuple<T...> decode([[maybe_unused]] Decoder& in) { return std::tuple<T...>{Codec<T>::decode(in)...}; }
};

namespace detail {
template <class A, class B>
struct Parts<std::pair<A, B>> {
    using type = Types<A, B>;
};
template <class... T>
struct Parts<std::tuple<T...>> {
    using type = Types<T...>;
};
}  // namespace detail

}  // namespace hardwork
