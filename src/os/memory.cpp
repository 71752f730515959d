#include "os/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "os/duplicate.hpp"
#include "os/generation.hpp"

// Newer than the headers of some systems that we build on.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#endif

namespace hardwork::os {

namespace {

int make(const char* name, unsigned flags) { return static_cast<int>(syscall(SYS_memfd_create, name, flags)); }

int protection(Access access) { return access == Access::read_only ? PROT_READ : PROT_READ | PROT_WRITE; }

int sharing(Access access) { return access == Access::private_copy ? MAP_PRIVATE : MAP_SHARED; }

// A forked process is not a party to this memory: neither a user's child nor the template of another pool.
void keep_from_children(void* at, std::size_t length, Access access) {
    if (access != Access::private_copy) (void)madvise(at, length, MADV_DONTFORK);
}

}  // namespace

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

Result<Fd> create_memory(const char* debug_name, std::uint64_t size) {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int number = make(debug_name, flags | MFD_NOEXEC_SEAL);
    if (number < 0 && errno == EINVAL) number = make(debug_name, flags);  // before Linux 6.3
    if (number < 0) {
        const bool refused = errno == ENOSYS || errno == EPERM || errno == EACCES;
        return Error{refused ? Errc::unsupported : Errc::system, errno, "memfd_create"};
    }
    Fd fd(number);
    // Nobody but this user, should a descriptor ever be reachable through /proc.
    if (fchmod(fd.get(), S_IRUSR | S_IWUSR) < 0 || ftruncate(fd.get(), static_cast<off_t>(size)) < 0) {
        return Error{Errc::system, errno, "size a memfd"};
    }
    if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        return Error{Errc::unsupported, errno, "memory sealing (F_ADD_SEALS)"};
    }
    return fd;
}

Result<Fd> reopen_read_only(const Fd& memory) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", memory.get());
    const int number = open(path, O_RDONLY | O_CLOEXEC);
    if (number >= 0) return Fd(number);
    return duplicate(memory.get());
}

Mapping::Mapping(void* at, std::size_t size, Access access)
    : data_(static_cast<std::byte*>(at)),
      size_(size),
      generation_(process_generation()),
      inherited_(access == Access::private_copy) {}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      generation_(other.generation_),
      inherited_(other.inherited_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
    if (this != &other) {
        unmap();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        generation_ = other.generation_;
        inherited_ = other.inherited_;
    }
    return *this;
}

Mapping::~Mapping() { unmap(); }

void Mapping::unmap() {
    // In a forked child nothing of ours is at these addresses, but by now perhaps something of others.
    if (data_ != nullptr && (inherited_ || generation_ == process_generation())) munmap(data_, size_);
}

Result<Mapping> Mapping::map(int fd, std::uint64_t offset, std::size_t length, Access access) {
    void* at = mmap(nullptr, length, protection(access), sharing(access), fd, static_cast<off_t>(offset));
    if (at == MAP_FAILED) return Error{Errc::system, errno, "map shared memory"};
    keep_from_children(at, length, access);
    return Mapping(at, length, access);
}

Result<Mapping> Mapping::map_mirrored(int fd, std::uint64_t offset, std::size_t length, Access access) {
    if (length == 0 || length % page_size() != 0) {
        return Error{Errc::invalid_argument, EINVAL, "mirror memory: its length must be whole pages"};
    }
    // Reserve both halves first, so that nothing else can take the address between the two.
    void* reserved = mmap(nullptr, 2 * length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) return Error{Errc::system, errno, "reserve addresses for a ring"};
    Mapping mapping(reserved, 2 * length, access);
    for (int half = 0; half < 2; ++half) {
        void* at = mapping.data_ + static_cast<std::size_t>(half) * length;
        if (mmap(at, length, protection(access), sharing(access) | MAP_FIXED, fd, static_cast<off_t>(offset)) ==
            MAP_FAILED) {
            return Error{Errc::system, errno, "map a ring"};
        }
        keep_from_children(at, length, access);
    }
    return mapping;
}

void* map_private(std::size_t size, std::size_t alignment) {
    const std::size_t whole = size + alignment - page_size();
    void* mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    auto* const begin = static_cast<std::byte*>(mapped);
    const std::size_t before = (alignment - reinterpret_cast<std::uintptr_t>(begin) % alignment) % alignment;
    const std::size_t behind = whole - before - size;
    if (before != 0) munmap(begin, before);
    if (behind != 0) munmap(begin + before + size, behind);
    return begin + before;
}

void unmap_private(void* data, std::size_t size) { munmap(data, size); }

void prefer_huge_pages(void* data, std::size_t size) { static_cast<void>(madvise(data, size, MADV_HUGEPAGE)); }

void populate(void* data, std::size_t size) {
#ifndef MADV_POPULATE_WRITE
    constexpr int MADV_POPULATE_WRITE = 23;
#endif
    static_cast<void>(madvise(data, size, MADV_POPULATE_WRITE));
}

void punch_hole(int fd, std::uint64_t offset, std::uint64_t length) {
    (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length));
}

}  // namespace hardwork::os
