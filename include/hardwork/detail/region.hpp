// Memory for many small things that come and go together: 2 MB at a time, and back to the system when they have gone.
//
// Not from the heap: what the heap keeps for next time is shared with every process that was forked meanwhile, and the next
// write to each 4 KB of it makes a copy.
#pragma once

#include <cstddef>

namespace hardwork::detail {

inline constexpr std::size_t kRegionBytes = std::size_t{2} << 20;

// Zeros, aligned to kRegionBytes; nullptr if there is no memory. With `at_once` the first touch brings all of it where the
// system has pages of that size, so it is for who will fill it.
void* take_region(bool at_once);
void give_back_region(void* region);

// Of a region: brings pages that are about to be filled, together.
void touch(void* data, std::size_t size);

}  // namespace hardwork::detail
