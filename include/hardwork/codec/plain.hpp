/// @file
/// Trivially copyable types travel as their bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "hardwork/codec/fields.hpp"
#include "hardwork/coding.hpp"

namespace hardwork {

namespace detail {
// Trivially copyable, but its bytes are an address (it would point to nothing, or to the wrong thing, in a worker), or
// it has a Codec that looks at what the bytes say.
template <class T>
inline constexpr bool not_by_bytes = std::is_pointer_v<T> || std::is_null_pointer_v<T>;
template <class T>
inline constexpr bool not_by_bytes<std::reference_wrapper<T>> = true;
template <class T, std::size_t N>
inline constexpr bool not_by_bytes<std::span<T, N>> = true;
template <class C, class T>
inline constexpr bool not_by_bytes<std::basic_string_view<C, T>> = true;
template <class T>
inline constexpr bool not_by_bytes<std::initializer_list<T>> = true;
template <class T, std::size_t N>
inline constexpr bool not_by_bytes<std::array<T, N>> = true;
template <class T>
inline constexpr bool not_by_bytes<std::optional<T>> = true;
template <class... T>
inline constexpr bool not_by_bytes<std::variant<T...>> = true;
template <class... T>
inline constexpr bool not_by_bytes<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool not_by_bytes<std::pair<A, B>> = true;

template <class T>
concept Plain = std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T> && !std::is_volatile_v<T> &&
                std::is_trivially_copyable_v<T> && !not_by_bytes<T> && !HasFields<T>;
}  // namespace detail

/// Arithmetic types, enums, std::chrono's durations and time points, and trivially copyable structs, as their bytes.
///
/// A pointer, a reference and a view have no Codec. Of a struct C++20 cannot tell whether it holds one: such a struct
/// compiles, and in a worker it points to what was there when the pool was made, or to nothing. Nor can it be told which
/// bytes a struct may have: if they are damaged on their way, so is the struct.
template <detail::Plain T>
struct Codec<T> {
    /// Values are their bytes.
    static constexpr bool by_bytes = true;
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

}  // namespace hardwork
