/// @file
/// Values that may be there or not, or be of one type or another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

/// Optional values.
template <Returnable T>
struct Codec<std::optional<T>> {
    /// Writes whether there is a value, and the value.
    static void encode(auto& out, const std::optional<T>& value) {
        detail::encode_mark(out, value.has_value());
        if (value) Codec<T>::encode(out, *value);
    }
    /// Reads it.
    static std::optional<T> decode(Decoder& in) {
        if (!detail::decode_mark(in)) return std::nullopt;
        return Codec<T>::decode(in);
    }
};

/// One of several types. One that is valueless_by_exception is an EncodeError.
template <Returnable... T>
struct Codec<std::variant<T...>> {
    /// Writes which of them it is, and the value.
    static void encode(auto& out, const std::variant<T...>& value) {
        if (value.valueless_by_exception()) detail::throw_encode_error("a std::variant without a value");
        const auto index = static_cast<std::uint32_t>(value.index());
        out.write(&index, sizeof index);
        encode_as(out, value, std::index_sequence_for<T...>{});
    }
    /// Reads it.
    static std::variant<T...> decode(Decoder& in) {
        std::uint32_t index;
        std::memcpy(&index, in.take(sizeof index).data(), sizeof index);
        if (index >= sizeof...(T)) detail::throw_decode_error("a std::variant has no such alternative");
        return decode_as(in, index, std::index_sequence_for<T...>{});
    }

  private:
    template <std::size_t... I>
    static void encode_as(auto& out, const std::variant<T...>& value, std::index_sequence<I...>) {
        ((value.index() == I ? Codec<T>::encode(out, *std::get_if<I>(&value)) : void()), ...);
    }
    template <std::size_t... I>
    static std::variant<T...> decode_as(Decoder& in, std::uint32_t index, std::index_sequence<I...>) {
        using Read = std::variant<T...> (*)(Decoder&);
        static constexpr std::array<Read, sizeof...(T)> readers{
            +[](Decoder& from) { return std::variant<T...>(std::in_place_index<I>, Codec<T>::decode(from)); }...};
        return readers[index](in);
    }
};

/// What is owned alone, or nothing. Not for arrays, whose length nobody knows, nor for a base class, of which only a
/// part would travel.
template <class T>
requires(!std::is_array_v<T> && (!std::is_polymorphic_v<T> || std::is_final_v<T>)) struct Codec<std::unique_ptr<T>> {
    /// Writes whether there is a value, and the value.
    static void encode(auto& out, const std::unique_ptr<T>& value) {
        detail::check_returnable<T>();
        const detail::Inside inside(out);
        detail::encode_mark(out, value != nullptr);
        if constexpr (Returnable<T>) {
            if (value) Codec<T>::encode(out, *value);
        }
    }
    /// Reads it.
    static std::unique_ptr<T> decode(Decoder& in) {
        detail::check_returnable<T>();
        const detail::Inside inside(in);
        if (!detail::decode_mark(in)) return nullptr;
        if constexpr (Returnable<T>) {
            return std::make_unique<T>(Codec<T>::decode(in));
        } else {
            return nullptr;
        }
    }
};

namespace detail {
template <class T>
struct Parts<std::optional<T>> {
    using type = Types<T>;
};
template <class... T>
struct Parts<std::variant<T...>> {
    using type = Types<T...>;
};
}  // namespace detail

}  // namespace hardwork
