// How arguments and results become bytes and come back. Both ends are one program, forked: native layout.
//
// Travels: trivially copyable types that are no pointers, std::string, and std::vector, std::pair and std::optional of
// what travels. Specialise Codec<T> for a type of your own.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/exceptions.hpp"

namespace hardwork {

using EncodedBytes = std::vector<std::byte>;

// Reads from encoded bytes; throws CodecError rather than read past the end.
class Reader {
  public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    void read(void* to, std::size_t count) {
        if (count > bytes_.size()) throw CodecError("hardwork: a record ends too early");
        if (count != 0) std::memcpy(to, bytes_.data(), count);
        bytes_ = bytes_.subspan(count);
    }
    // A number of elements that each take at least `each` bytes: checked, so that it may size memory.
    std::size_t count(std::size_t each) {
        std::uint64_t n;
        read(&n, sizeof n);
        if (each != 0 && n > bytes_.size() / each) throw CodecError("hardwork: a record is shorter than it says");
        return static_cast<std::size_t>(n);
    }

  private:
    std::span<const std::byte> bytes_;
};

template <class T>
struct Codec;  // static void write(const T&, EncodedBytes&); static T read(Reader&);

namespace detail {

inline void append(EncodedBytes& out, const void* from, std::size_t count) {
    const auto* bytes = static_cast<const std::byte*>(from);
    out.insert(out.end(), bytes, bytes + count);
}

template <class T>
concept Plain = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::is_member_pointer_v<T>;

}  // namespace detail

template <class T>
concept Travels = requires(const T& value, EncodedBytes& out, Reader& in) {
    Codec<T>::write(value, out);
    { Codec<T>::read(in) } -> std::convertible_to<T>;
};

template <detail::Plain T>
struct Codec<T> {
    static void write(const T& value, EncodedBytes& out) { detail::append(out, &value, sizeof value); }
    static T read(Reader& in) {
        std::remove_const_t<T> value;
        in.read(&value, sizeof value);
        return value;
    }
};

template <>
struct Codec<std::string> {
    static void write(const std::string& value, EncodedBytes& out) {
        Codec<std::uint64_t>::write(value.size(), out);
        detail::append(out, value.data(), value.size());
    }
    static std::string read(Reader& in) {
        std::string value(in.count(1), '\0');
        in.read(value.data(), value.size());
        return value;
    }
};

template <Travels T>
struct Codec<std::vector<T>> {
    static void write(const std::vector<T>& value, EncodedBytes& out) {
        Codec<std::uint64_t>::write(value.size(), out);
        if constexpr (detail::Plain<T> && !std::is_same_v<T, bool>) {
            detail::append(out, value.data(), value.size() * sizeof(T));
        } else {
            for (const T& element : value)
                Codec<T>::write(element, out);
        }
    }
    static std::vector<T> read(Reader& in) {
        if constexpr (detail::Plain<T> && !std::is_same_v<T, bool>) {
            std::vector<T> value(in.count(sizeof(T)));
            in.read(value.data(), value.size() * sizeof(T));
            return value;
        } else {
            std::vector<T> value;
            const std::size_t count = in.count(1);
            for (std::size_t i = 0; i < count; ++i)
                value.push_back(Codec<T>::read(in));
            return value;
        }
    }
};

template <Travels A, Travels B>
requires(!detail::Plain<std::pair<A, B>>) struct Codec<std::pair<A, B>> {
    static void write(const std::pair<A, B>& value, EncodedBytes& out) {
        Codec<A>::write(value.first, out);
        Codec<B>::write(value.second, out);
    }
    static std::pair<A, B> read(Reader& in) {
        A first = Codec<A>::read(in);
        return {std::move(first), Codec<B>::read(in)};
    }
};

template <Travels T>
requires(!detail::Plain<std::optional<T>>) struct Codec<std::optional<T>> {
    static void write(const std::optional<T>& value, EncodedBytes& out) {
        Codec<bool>::write(value.has_value(), out);
        if (value) Codec<T>::write(*value, out);
    }
    static std::optional<T> read(Reader& in) {
        if (!Codec<bool>::read(in)) return std::nullopt;
        return Codec<T>::read(in);
    }
};

}  // namespace hardwork
