// The Codecs there are: trivially copyable types, strings, and containers of what can travel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/coding.hpp"

namespace hardwork {

namespace detail {
// Trivially copyable, but its bytes are an address: it would point to nothing, or to the wrong thing, in a worker.
template <class T>
inline constexpr bool is_address = std::is_pointer_v<T> || std::is_null_pointer_v<T>;
template <class T>
inline constexpr bool is_address<std::reference_wrapper<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_address<std::span<T, N>> = true;
template <class C, class T>
inline constexpr bool is_address<std::basic_string_view<C, T>> = true;
template <class T>
inline constexpr bool is_address<std::initializer_list<T>> = true;
template <class T, std::size_t N>
inline constexpr bool is_address<std::array<T, N>> = is_address<T>;
template <class T>
inline constexpr bool is_address<std::optional<T>> = is_address<T>;
template <class... T>
inline constexpr bool is_address<std::tuple<T...>> = (is_address<T> || ...);
template <class A, class B>
inline constexpr bool is_address<std::pair<A, B>> = is_address<A> || is_address<B>;

template <class T>
concept Plain = std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
                std::is_trivially_copyable_v<T> && !is_address<T>;

inline void encode_length(auto& out, std::uint64_t length) { out.write(&length, sizeof length); }

inline std::uint64_t decode_length(Decoder& in) {
    std::uint64_t length;
    std::memcpy(&length, in.take(sizeof length).data(), sizeof length);
    return length;
}
}  // namespace detail

/// Trivially copyable types, as their bytes. A pointer has no Codec; a struct must not hold one either.
template <detail::Plain T>
struct Codec<T> {
    /// Every value takes so many bytes.
    static constexpr std::size_t fixed_size = sizeof(T);
    /// Writes the value's bytes.
    static void encode(auto& out, const T& value) { out.write(std::addressof(value), sizeof(T)); }
    /// Reads a value.
    static T decode(Decoder& in) {
        const std::byte* bytes = in.take(sizeof(T)).data();
        if constexpr (std::is_same_v<T, bool>) {
            return *bytes != std::byte{0};
        } else if constexpr (std::is_default_constructible_v<T>) {
            T value;
            std::memcpy(static_cast<void*>(std::addressof(value)), bytes, sizeof(T));
            return value;
        } else {
            std::array<std::byte, sizeof(T)> copy;
            std::memcpy(copy.data(), bytes, sizeof(T));
            return __builtin_bit_cast(T, copy);
        }
    }
};

/// Text of any character type.
template <class C, class Traits, class Allocator>
struct Codec<std::basic_string<C, Traits, Allocator>> {
    /// Writes the length and the characters.
    static void encode(auto& out, const std::basic_string<C, Traits, Allocator>& text) {
        detail::encode_length(out, text.size());
        out.write(text.data(), text.size() * sizeof(C));
    }
    /// Reads a text.
    static std::basic_string<C, Traits, Allocator> decode(Decoder& in) {
        const std::uint64_t length = detail::decode_length(in);
        if (length > in.left() / sizeof(C)) throw DecodeError("a text is longer than its bytes");
        std::basic_string<C, Traits, Allocator> text(length, C{});
        if (length != 0) std::memcpy(text.data(), in.take(length * sizeof(C)).data(), length * sizeof(C));
        return text;
    }
};

/// Views of text can be arguments (the task sees the bytes that travelled) and items of a map, but not results.
template <>
struct Codec<std::string_view> {
    /// The decoded view points into the bytes it was decoded from.
    static constexpr bool borrows = true;
    /// Writes the length and the characters.
    static void encode(auto& out, std::string_view text) {
        detail::encode_length(out, text.size());
        out.write(text.data(), text.size());
    }
    /// Reads a view of the bytes.
    static std::string_view decode(Decoder& in) {
        const std::span<const std::byte> bytes = in.take(detail::decode_length(in));
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
};

/// Vectors: one copy of all the bytes where elements are trivially copyable, else element by element.
template <Returnable T, class Allocator>
struct Codec<std::vector<T, Allocator>> {
    /// Elements are copied all at once.
    static constexpr bool in_bulk = detail::Plain<T> && !std::is_same_v<T, bool> && std::is_default_constructible_v<T>;
    /// Writes the length and the elements.
    static void encode(auto& out, const std::vector<T, Allocator>& values) {
        detail::encode_length(out, values.size());
        if constexpr (in_bulk) {
            out.write(values.data(), values.size() * sizeof(T));
        } else {
            // For vector<bool>, whose elements are no bool, the cast makes one.
            for (auto&& value : values)
                Codec<T>::encode(out, static_cast<const T&>(value));
        }
    }
    /// Reads a vector.
    static std::vector<T, Allocator> decode(Decoder& in) {
        const std::uint64_t length = detail::decode_length(in);
        std::vector<T, Allocator> values;
        if constexpr (in_bulk) {
            if (length > in.left() / sizeof(T)) throw DecodeError("a vector is longer than its bytes");
            values.resize(length);
            if (length != 0) {
                std::memcpy(static_cast<void*>(values.data()), in.take(length * sizeof(T)).data(), length * sizeof(T));
            }
        } else {
            // Not reserved on the word of a length that nobody has checked. An element may take no bytes at all.
            values.reserve(length < in.left() ? length : in.left());
            for (std::uint64_t i = 0; i < length; ++i)
                values.push_back(Codec<T>::decode(in));
        }
        return values;
    }
};

/// Arrays whose elements are not trivially copyable.
template <Returnable T, std::size_t N>
requires(!detail::Plain<std::array<T, N>>) struct Codec<std::array<T, N>> {
    /// Writes the elements.
    static void encode(auto& out, const std::array<T, N>& values) {
        for (const T& value : values)
            Codec<T>::encode(out, value);
    }
    /// Reads the elements.
    static std::array<T, N> decode(Decoder& in) {
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<T, N>{{((void)I, Codec<T>::decode(in))...}};
        }
        (std::make_index_sequence<N>{});
    }
};

/// Pairs that are not trivially copyable; std::pair never counts as that.
template <Returnable A, Returnable B>
requires(!detail::Plain<std::pair<A, B>>) struct Codec<std::pair<A, B>> {
    /// Writes both.
    static void encode(auto& out, const std::pair<A, B>& pair) {
        Codec<A>::encode(out, pair.first);
        Codec<B>::encode(out, pair.second);
    }
    /// Reads both.
    static std::pair<A, B> decode(Decoder& in) { return {Codec<A>::decode(in), Codec<B>::decode(in)}; }
};

/// Tuples, element by element.
template <Returnable... T>
requires(!detail::Plain<std::tuple<T...>>) struct Codec<std::tuple<T...>> {
    /// Writes the elements.
    static void encode(auto& out, const std::tuple<T...>& values) {
        std::apply([&](const T&... value) { (Codec<T>::encode(out, value), ...); }, values);
    }
    /// Reads the elements.
    static std::tuple<T...> decode(Decoder& in) { return std::tuple<T...>{Codec<T>::decode(in)...}; }
};

/// Optional values that are not trivially copyable.
template <Returnable T>
requires(!detail::Plain<std::optional<T>>) struct Codec<std::optional<T>> {
    /// Writes whether there is a value, and the value.
    static void encode(auto& out, const std::optional<T>& value) {
        const std::uint8_t there = value.has_value() ? 1 : 0;
        out.write(&there, sizeof there);
        if (value) Codec<T>::encode(out, *value);
    }
    /// Reads it.
    static std::optional<T> decode(Decoder& in) {
        if (in.take(1)[0] == std::byte{0}) return std::nullopt;
        return Codec<T>::decode(in);
    }
};

}  // namespace hardwork
