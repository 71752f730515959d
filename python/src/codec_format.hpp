// What encoder and decoder agree on.
//
// A value is a tag byte and what belongs to it. Numbers have the machine's byte order and any alignment.
//   small int    one byte, kSmallIntZero + value, for kSmallIntMin..kSmallIntMax
//   count        u8, or 255 and a u64
//   short text   length u8, data                      (below kLong characters)
//   long text    slot u8, length u64, data            (the decoder remembers the object under this slot)
//   ref          slot u8                              (the object last remembered there)
// Text is `ascii`; or `text`, where a width byte (1, 2, 4) stands before the length and data is the string's own
// storage, so that lone surrogates travel as well.
#pragma once

#include <cstdint>

namespace hardwork::py {

enum class Tag : std::uint8_t {
    none,
    yes,
    no,
    int8,
    int16,
    int32,
    int64,
    big_int,  // u64 length, two's complement
    float64,
    complex128,
    ascii,
    ascii_long,
    text,
    text_long,
    bytes,
    bytes_long,
    bytearray,  // u64 length, data
    ref,
    list,  // count, values
    tuple,
    dict,  // count, key and value by turns
    set,
    frozenset,
};

inline constexpr unsigned kFirstSmallInt = 0x20;
inline constexpr int kSmallIntZero = 0x30;
inline constexpr int kSmallIntMin = static_cast<int>(kFirstSmallInt) - kSmallIntZero;
inline constexpr int kSmallIntMax = 0xFF - kSmallIntZero;
static_assert(static_cast<unsigned>(Tag::frozenset) < kFirstSmallInt);

// Containers inside containers, the outermost included. Bounds the recursion on both sides.
inline constexpr int kMaxDepth = 4;

// From this many characters on, a string or bytes object that occurs twice stays one object.
inline constexpr int kLong = 16;
// Recent ones have 8 slots by address, and evict each other: losing one costs a copy. From kHuge bytes on that cost
// would not be small (one text of a megabyte a thousand times over), so those have slots that nobody takes from
// them; when these run out, pickle does it.
inline constexpr unsigned kRecentSlots = 8;
inline constexpr unsigned kHugeSlots = 16;
inline constexpr unsigned kSlots = kRecentSlots + kHugeSlots;
inline constexpr int kHuge = 4096;

}  // namespace hardwork::py
