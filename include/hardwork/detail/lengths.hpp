// Lengths and marks inside of encoded values. What is read is believed only as far as there are bytes for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hardwork/coding.hpp"

namespace hardwork::detail {

// So many elements of a type whose values take no bytes; more is a damaged length, not a container.
inline constexpr std::uint64_t kMostEmptyElements = std::uint64_t{1} << 20;

inline void encode_length(auto& out, std::uint64_t length) { out.write(&length, sizeof length); }

inline std::uint64_t decode_length(Decoder& in) {
    std::uint64_t length;
    std::memcpy(&length, in.take(sizeof length).data(), sizeof length);
    return length;
}

// A length, and as many elements of one size.
inline std::span<const std::byte> decode_run(Decoder& in, std::size_t element_size) {
    const std::uint64_t length = decode_length(in);
    if (length > in.left() / element_size) throw_decode_error("a value is longer than its bytes");
    return in.take(length * element_size);
}

// A length, and as many elements as `read` reads.
template <class Read>
void decode_elements(Decoder& in, Read read) {
    const std::uint64_t length = decode_length(in);
    for (std::uint64_t i = 0; i < length; ++i) {
        const std::size_t before = in.left();
        read();
        if (in.left() == before && length > kMostEmptyElements) throw_decode_error("a length that cannot be");
    }
}

inline void encode_mark(auto& out, bool set) {
    const std::uint8_t byte = set ? 1 : 0;
    out.write(&byte, sizeof byte);
}

inline bool decode_mark(Decoder& in) {
    const std::byte byte = in.take(1)[0];
    if (byte > std::byte{1}) throw_decode_error("a mark that is neither yes nor no");
    return byte != std::byte{0};
}

// The fixed size of values that are made of others, if all of those have one.
template <class... T>
struct SizeOfAll {};
template <FixedSize... T>
struct SizeOfAll<T...> {
    static constexpr std::size_t fixed_size = (std::size_t{0} + ... + Codec<T>::fixed_size);
};

template <class T, std::size_t N>
struct SizeOfMany {};
template <FixedSize T, std::size_t N>
struct SizeOfMany<T, N> {
    static constexpr std::size_t fixed_size = N * Codec<T>::fixed_size;
};

}  // namespace hardwork::detail
