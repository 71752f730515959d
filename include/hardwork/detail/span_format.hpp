// The bytes of a span of a map's items: a header of 16 bytes, and then
//
//   range   nothing: item i is number + i
//   fixed   the items, `number` bytes each
//   table   count + 1 offsets of 8 bytes from the end of the table, then the items
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "hardwork/coding.hpp"

namespace hardwork::detail {

enum class SpanKind : std::uint32_t { range = 1, fixed = 2, table = 3 };

struct SpanHeader {
    SpanKind kind = SpanKind::range;
    std::uint32_t count = 0;
    std::uint64_t number = 0;
};
static_assert(sizeof(SpanHeader) == 16);

inline SpanHeader read_span_header(std::span<const std::byte> payload) {
    SpanHeader header;
    std::memcpy(&header, Decoder(payload).take(sizeof header).data(), sizeof header);
    return header;
}

inline std::span<const std::byte> item_bytes(const SpanHeader& header, std::span<const std::byte> payload,
                                             std::uint32_t index) {
    if (index >= header.count) throw_decode_error("a span has no such item");
    const std::span<const std::byte> rest = payload.subspan(sizeof header);
    if (header.kind == SpanKind::fixed) {
        const std::uint64_t begin = index * header.number;
        if (begin > rest.size() || header.number > rest.size() - begin) throw_decode_error("a span is too short");
        return rest.subspan(begin, header.number);
    }
    if (header.kind != SpanKind::table) throw_decode_error("a span of an unknown kind");
    const std::uint64_t table = (std::uint64_t{header.count} + 1) * sizeof(std::uint64_t);
    if (rest.size() < table) throw_decode_error("a span is too short");
    std::uint64_t ends[2];
    std::memcpy(ends, rest.data() + index * sizeof(std::uint64_t), sizeof ends);
    if (ends[0] > ends[1] || ends[1] > rest.size() - table) throw_decode_error("a span's table is damaged");
    return rest.subspan(table + ends[0], ends[1] - ends[0]);
}

}  // namespace hardwork::detail
