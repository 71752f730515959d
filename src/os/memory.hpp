// Anonymous shared memory (memfd), sealed against resizing, and ways to map it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bits.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

std::size_t page_size();

// A memfd of `size` bytes (sparse: pages appear when touched), close-on-exec, sealed with
// F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, so that a peer's truncate cannot become our SIGBUS (memfd_create(2)).
// Errc::unsupported when memfd_create or sealing is refused.
Result<Fd> create_memory(const char* debug_name, std::uint64_t size);

// The same memory through a descriptor that can only be mapped for reading (reopened through /proc/self/fd);
// a plain duplicate where /proc is not mounted.
Result<Fd> reopen_read_only(const Fd& memory);

enum class Access { read_only, read_write, private_copy };

// A mapped range; unmapped by the destructor.
class Mapping {
  public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    ~Mapping();

    static Result<Mapping> map(int fd, std::uint64_t offset, std::size_t length, Access access);
    // Maps [offset, offset+length) twice, one copy behind the other, so that a record that wraps around the end of
    // a ring is contiguous in memory. length must be a multiple of the page size. size() is 2 * length.
    static Result<Mapping> map_mirrored(int fd, std::uint64_t offset, std::size_t length, Access access);

    std::byte* data() const { return data_; }
    std::size_t size() const { return size_; }
    explicit operator bool() const { return data_ != nullptr; }

  private:
    Mapping(void* at, std::size_t size, Access access);
    void unmap();

    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::uint32_t generation_ = 0;  // the process that mapped it: see process_generation()
    bool inherited_ = false;        // forked children have it too
};

// Memory of this process alone: zeros, `alignment` (a power of two, of whole pages) to begin at. nullptr if there is none.
// A forked child has a copy, as of the heap.
void* map_private(std::size_t size, std::size_t alignment);
void unmap_private(void* data, std::size_t size);

// Asks for huge pages behind private memory that is about to be filled (madvise(2), MADV_HUGEPAGE). Best effort.
void prefer_huge_pages(void* data, std::size_t size);

// Brings the pages of private memory that is about to be filled, all at once instead of by a fault each (madvise(2),
// MADV_POPULATE_WRITE, from Linux 5.14 on). Best effort.
void populate(void* data, std::size_t size);

// Gives the pages of a range back to the kernel; reads there give zeros afterwards. Best effort.
void punch_hole(int fd, std::uint64_t offset, std::uint64_t length);

}  // namespace hardwork::os
