/// @file
/// Elements in a row: one copy of all the bytes where they travel as bytes, else one by one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

/// Vectors.
template <Returnable T, class Allocator>
struct Codec<std::vector<T, Allocator>> {
    /// Writes the length and the elements.
    static void encode(auto& out, const std::vector<T, Allocator>& values) {
        detail::encode_length(out, values.size());
        if constexpr (detail::Bulk<T>) {
            out.write(values.data(), values.size() * sizeof(T));
        } else {
            // For vector<bool>, whose elements are no bool, the cast makes one.
            for (auto&& value : values)
                Codec<T>::encode(out, static_cast<const T&>(value));
        }
    }
    /// Reads a vector.
    static std::vector<T, Allocator> decode(Decoder& in) {
        std::vector<T, Allocator> values;
        if constexpr (detail::Bulk<T>) {
            const std::span<const std::byte> bytes = detail::decode_run(in, sizeof(T));
            values.resize(bytes.size() / sizeof(T));
            if (!bytes.empty()) std::memcpy(static_cast<void*>(values.data()), bytes.data(), bytes.size());
        } else {
            detail::decode_elements(in, [&] { values.push_back(Codec<T>::decode(in)); });
        }
        return values;
    }
};

/// Arrays.
template <Returnable T, std::size_t N>
struct Codec<std::array<T, N>> : detail::SizeOfMany<T, N> {
    /// Values are their bytes, if those of T are.
    static constexpr bool by_bytes = detail::Bulk<T> && N != 0;
    /// Writes the elements.
    static void encode(auto& out, const std::array<T, N>& values) {
        if constexpr (by_bytes) {
            out.write(values.data(), N * sizeof(T));
        } else {
            for (const T& value : values)
                Codec<T>::encode(out, value);
        }
    }
    /// Reads the elements.
    static std::array<T, N> decode(Decoder& in) {
        if constexpr (by_bytes) {
            std::array<T, N> values;
            std::memcpy(static_cast<void*>(values.data()), in.take(N * sizeof(T)).data(), N * sizeof(T));
            return values;
        } else {
            return [&]<std::size_t... I>(std::index_sequence<I...>) {
                return std::array<T, N>{{((void)I, Codec<T>::decode(in))...}};
            }
            (std::make_index_sequence<N>{});
        }
    }
};

namespace detail {
// A decoded span: shows the bytes it was decoded from if they lie well for T, else a copy of them.
template <class T, std::size_t N>
class ReceivedSpan {
  public:
    explicit ReceivedSpan(std::span<const std::byte> bytes) : size_(bytes.size() / sizeof(T)) {
        if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) == 0) {
            in_place_ = reinterpret_cast<const T*>(bytes.data());
        } else {
            copy_.resize(size_);
            if (size_ != 0) std::memcpy(static_cast<void*>(copy_.data()), bytes.data(), bytes.size());
        }
    }
    // A T or a span of them: valid as long as this.
    operator std::span<const T, N>() const {
        return std::span<const T, N>(in_place_ != nullptr ? in_place_ : copy_.data(), size_);
    }

  private:
    std::size_t size_;
    const T* in_place_ = nullptr;
    std::vector<T> copy_;
};
}  // namespace detail

/// Spans of const elements that travel as bytes can be arguments (the task sees the bytes that travelled, without a copy
/// of them if they are aligned) and items of a map, but not results. A span of elements that are not const has no Codec:
/// what a task writes there would stay in its worker.
template <detail::Bulk T, std::size_t N>
struct Codec<std::span<const T, N>> {
    /// The decoded span points into the bytes it was decoded from.
    static constexpr bool borrows = true;
    /// Writes the length and the elements.
    static void encode(auto& out, std::span<const T, N> values) {
        detail::encode_length(out, values.size());
        out.write(values.data(), values.size_bytes());
    }
    /// Reads the elements. What it returns must live while the span made of it is used.
    static detail::ReceivedSpan<T, N> decode(Decoder& in) {
        const std::span<const std::byte> bytes = detail::decode_run(in, sizeof(T));
        if (N != std::dynamic_extent && bytes.size() != N * sizeof(T)) {
            detail::throw_decode_error("a span is not of the length that its type says");
        }
        return detail::ReceivedSpan<T, N>(bytes);
    }
};

namespace detail {
template <class T, class Allocator>
struct Parts<std::vector<T, Allocator>> {
    using type = Types<T>;
};
template <class T, std::size_t N>
struct Parts<std::array<T, N>> {
    using type = Types<T>;
};
}  // namespace detail

}  // namespace hardwork
