// Payloads too large for a ring: extents of a sparse memfd. One process allocates and writes, the others only read.
//
// An extent's size is rounded up to a power of two (small) or to whole windows (large); untouched pages of it cost
// nothing. Freed extents are used again, already faulted in: the first write to a fresh page costs 4 us.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "os/identity.hpp"
#include "os/memory.hpp"
#include "shm/request.hpp"

namespace hardwork::shm {

inline constexpr std::uint64_t kWindow = std::uint64_t{4} << 20;  // small extents share windows of this size
inline constexpr std::uint64_t kSmallestExtent = 64;
inline constexpr std::uint64_t kKeepFree = std::uint64_t{256} << 20;  // freed bytes that stay resident for reuse

// The mapped parts of an arena, in a process that reads or writes it. An extent never crosses a window unless it is
// larger than one; then it begins on a window and has a mapping of its own.
class Windows {
  public:
    Windows() = default;
    Windows(int fd, std::uint64_t base, std::uint64_t size, os::Access access)
        : file_(fd), base_(base), size_(size), access_(access) {}
    // Whether an extent could have been allocated so: within the arena, and across windows only if it is larger.
    bool plausible(Extent extent) const;
    // nullptr if it is not plausible or cannot be mapped: also if the descriptor is no longer that of the memory.
    std::byte* at(Extent extent);
    void forget(Extent extent);  // unmaps a large extent's own mapping

  private:
    struct Mapped {
        os::Mapping mapping;
    };
    std::byte* map(std::uint64_t offset, std::uint64_t length);

    os::KnownFile file_;
    std::uint64_t base_ = 0;  // where the arena begins in the memory
    std::uint64_t size_ = 0;
    os::Access access_ = os::Access::read_only;
    std::unordered_map<std::uint64_t, Mapped> mapped_;
    std::uint64_t last_offset_ = ~std::uint64_t{0};  // the window used last: most look-ups end here
    std::byte* last_data_ = nullptr;
};

// Who allocates. Not thread safe: the parent's is under the engine's lock, a worker has one thread that publishes.
class Arena {
  public:
    Arena() = default;
    Arena(int fd, std::uint64_t base, std::uint64_t size) : fd_(fd), base_(base), size_(size) {}
    // An extent of at least `length` bytes, with .length == length. False when the arena is exhausted.
    bool allocate(std::uint64_t length, Extent& extent);
    void release(Extent extent);
    std::uint64_t in_use() const { return in_use_; }

    static std::uint64_t rounded(std::uint64_t length);

  private:
    int fd_ = -1;
    std::uint64_t base_ = 0;
    std::uint64_t size_ = 0;
    std::uint64_t next_ = 0;       // first byte never handed out
    std::uint64_t in_use_ = 0;     // rounded bytes
    std::uint64_t kept_free_ = 0;  // rounded bytes on the free lists that may be resident
    std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> large_;  // size -> offsets
    std::vector<std::uint64_t> small_[32];                                 // by log2 of the size
};

}  // namespace hardwork::shm
