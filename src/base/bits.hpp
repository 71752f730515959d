// Arithmetic on sizes and addresses; no memory, no OS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hardwork {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// x86-64 and aarch64 servers agree on 64; a wrong guess costs speed, never correctness.
inline constexpr std::size_t kCacheLine = 64;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

constexpr bool is_power_of_two(std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace hardwork
