#include "os/memory.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

// For headers that have sealing only in linux/fcntl.h.
constexpr int kGetSeals = 1034;
constexpr int kSealed = 0x1 | 0x2 | 0x4;  // SEAL, SHRINK, GROW

TEST(Memory, HasItsSizeAndIsPrivateToTheUser) {
    const std::uint64_t size = 3 * page_size();
    auto memory = create_memory("test", size);
    ASSERT_TRUE(memory) << memory.error().what;
    struct stat info {};
    ASSERT_EQ(fstat(memory.value().get(), &info), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), size);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(info.st_blocks, 0) << "pages must appear only when touched";
    EXPECT_TRUE(testing::is_close_on_exec(memory.value().get()));
}

TEST(Memory, CannotBeResizedOrUnsealed) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    const int fd = memory.value().get();
    EXPECT_EQ(fcntl(fd, kGetSeals) & kSealed, kSealed);
    EXPECT_EQ(ftruncate(fd, 0), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(ftruncate(fd, static_cast<off_t>(2 * page_size())), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(fallocate(fd, 0, static_cast<off_t>(page_size()), 1), -1);
    EXPECT_EQ(errno, EPERM);
    EXPECT_EQ(fcntl(fd, 1033, 0x8), -1) << "a further seal (WRITE) was accepted";
    EXPECT_EQ(errno, EPERM);
    char byte = 1;
    EXPECT_EQ(pwrite(fd, &byte, 1, static_cast<off_t>(page_size())), -1) << "a write grew it";
}

TEST(Memory, APeerCannotResizeItEither) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    auto mapping = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(mapping);
    mapping.value().data()[17] = std::byte{5};
    testing::Child child([&] { return ftruncate(memory.value().get(), 0) < 0 && errno == EPERM ? 0 : 1; });
    EXPECT_EQ(child.wait(), 0);
    EXPECT_EQ(mapping.value().data()[17], std::byte{5});
}

TEST(Memory, IsSparse) {
    auto memory = create_memory("test", std::uint64_t{1} << 36);
    ASSERT_TRUE(memory);
    auto mapping = Mapping::map(memory.value().get(), std::uint64_t{1} << 35, page_size(), Access::read_write);
    ASSERT_TRUE(mapping);
    mapping.value().data()[0] = std::byte{1};
    struct stat info {};
    ASSERT_EQ(fstat(memory.value().get(), &info), 0);
    EXPECT_LE(info.st_blocks, 16 << 10);  // a huge page at most, not 64 GB
}

TEST(Memory, AnImpossibleSizeIsAnError) {
    const auto memory = create_memory("test", ~std::uint64_t{0});
    ASSERT_FALSE(memory);
    EXPECT_NE(memory.error().code, Errc::ok);
    EXPECT_STRNE(memory.error().what, "");
}

TEST(Memory, ReadOnlyReopenRefusesToBeWritten) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    auto writable = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(writable);
    auto reader = reopen_read_only(memory.value());
    ASSERT_TRUE(reader) << reader.error().what;
    EXPECT_TRUE(testing::is_close_on_exec(reader.value().get()));

    auto refused = Mapping::map(reader.value().get(), 0, page_size(), Access::read_write);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sys_errno, EACCES);
    auto view = Mapping::map(reader.value().get(), 0, page_size(), Access::read_only);
    ASSERT_TRUE(view);
    EXPECT_EQ(mprotect(view.value().data(), page_size(), PROT_READ | PROT_WRITE), -1);
    EXPECT_EQ(write(reader.value().get(), "x", 1), -1);
    writable.value().data()[9] = std::byte{77};
    EXPECT_EQ(view.value().data()[9], std::byte{77}) << "not the same memory";
    // What a receiver of a big buffer does: its own copy on write.
    auto own = Mapping::map(reader.value().get(), 0, page_size(), Access::private_copy);
    ASSERT_TRUE(own);
    own.value().data()[9] = std::byte{1};
    EXPECT_EQ(writable.value().data()[9], std::byte{77});
}

TEST(Mapping, AReadOnlyOneFaultsWhenWritten) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    testing::Child child([&] {
        signal(SIGSEGV, SIG_DFL);  // sanitizers print a report otherwise
        auto view = Mapping::map(memory.value().get(), 0, page_size(), Access::read_only);
        if (!view) return 2;
        *static_cast<volatile std::byte*>(view.value().data()) = std::byte{1};
        return 0;
    });
    EXPECT_EQ(child.wait(), 128 + SIGSEGV);
}

TEST(Mapping, TwoOfOneMemoryShareTheirBytes) {
    auto memory = create_memory("test", 2 * page_size());
    ASSERT_TRUE(memory);
    auto all = Mapping::map(memory.value().get(), 0, 2 * page_size(), Access::read_write);
    auto second_page = Mapping::map(memory.value().get(), page_size(), page_size(), Access::read_write);
    ASSERT_TRUE(all);
    ASSERT_TRUE(second_page);
    EXPECT_EQ(second_page.value().size(), page_size());
    second_page.value().data()[3] = std::byte{8};
    EXPECT_EQ(all.value().data()[page_size() + 3], std::byte{8});
    memory.value().reset();
    all.value().data()[page_size() + 3] = std::byte{9};  // a mapping does not need the descriptor
    EXPECT_EQ(second_page.value().data()[3], std::byte{9});
}

TEST(Mapping, MovesItsOwnership) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    auto made = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(made);
    Mapping first = made.take();
    std::byte* at = first.data();
    Mapping second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT: empty by contract
    EXPECT_EQ(first.size(), 0U);
    EXPECT_EQ(second.data(), at);
    Mapping third;
    EXPECT_FALSE(third);
    third = std::move(second);
    EXPECT_EQ(third.data(), at);
    third.data()[0] = std::byte{1};
    third = Mapping();
    unsigned char resident;
    EXPECT_EQ(mincore(at, page_size(), &resident), -1) << "still mapped";
    EXPECT_EQ(errno, ENOMEM);
}

TEST(Mapping, OfNothingIsAnError) {
    EXPECT_FALSE(Mapping::map(-1, 0, page_size(), Access::read_write));
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    EXPECT_FALSE(Mapping::map(memory.value().get(), 0, 0, Access::read_write));
    EXPECT_FALSE(Mapping::map(memory.value().get(), 1, page_size(), Access::read_write)) << "offset within a page";
}

bool is_mapped(const std::byte* at) {
    unsigned char resident;
    return mincore(const_cast<std::byte*>(at), page_size(), &resident) == 0;
}

// A forked child is not a party to shared memory; what was mapped as a private copy is its own.
TEST(Mapping, OnlyPrivateCopiesAreInherited) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    const int fd = memory.value().get();
    auto shared = Mapping::map(fd, 0, page_size(), Access::read_write);
    auto view = Mapping::map(fd, 0, page_size(), Access::read_only);
    auto ring = Mapping::map_mirrored(fd, 0, page_size(), Access::read_write);
    auto own = Mapping::map(fd, 0, page_size(), Access::private_copy);
    ASSERT_TRUE(shared && view && ring && own);
    testing::Child child([&] {
        if (is_mapped(shared.value().data()) || is_mapped(view.value().data())) return 1;
        if (is_mapped(ring.value().data()) || is_mapped(ring.value().data() + page_size())) return 2;
        if (!is_mapped(own.value().data())) return 3;
        const std::byte* at = own.value().data();
        own.value() = Mapping();
        return is_mapped(at) ? 4 : 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

// In a forked child the address is free: what the child has put there must outlive the parent's object.
TEST(Mapping, AForkedChildUnmapsNothingOfItsOwn) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    auto made = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(made);
    Mapping moved = made.take();
    testing::Child child([&] {
        std::byte* at = moved.data();
        void* theirs = mmap(at, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (theirs != at) return 1;
        { const Mapping gone(std::move(moved)); }
        if (!is_mapped(at)) return 2;
        // Its own mappings it does unmap.
        auto again = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
        if (!again) return 3;
        const std::byte* there = again.value().data();
        again.value() = Mapping();
        return is_mapped(there) ? 4 : 0;
    });
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(is_mapped(moved.data()));
}

TEST(MirroredMapping, WrapsAround) {
    const std::size_t length = 4 * page_size();
    auto memory = create_memory("test", page_size() + length);
    ASSERT_TRUE(memory);
    auto made = Mapping::map_mirrored(memory.value().get(), page_size(), length, Access::read_write);
    ASSERT_TRUE(made) << made.error().what;
    Mapping& ring = made.value();
    ASSERT_EQ(ring.size(), 2 * length);
    const char record[] = "a record that wraps around the end";
    const std::size_t at = length - 10;
    std::memcpy(ring.data() + at, record, sizeof record);
    EXPECT_EQ(std::memcmp(ring.data(), record + 10, sizeof record - 10), 0) << "the tail is not at the start";
    ring.data()[0] = std::byte{'#'};
    EXPECT_EQ(ring.data()[length], std::byte{'#'});
    for (std::size_t i = 0; i < length; i += 61)
        ring.data()[length + i] = static_cast<std::byte>(i);
    for (std::size_t i = 0; i < length; i += 61)
        ASSERT_EQ(ring.data()[i], static_cast<std::byte>(i)) << i;

    // The page before the ring is not part of it.
    auto head = Mapping::map(memory.value().get(), 0, page_size(), Access::read_only);
    ASSERT_TRUE(head);
    for (std::size_t i = 0; i < page_size(); ++i)
        ASSERT_EQ(head.value().data()[i], std::byte{0});
}

TEST(MirroredMapping, NeedsWholePages) {
    auto memory = create_memory("test", 2 * page_size());
    ASSERT_TRUE(memory);
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, page_size() + 1}) {
        const auto made = Mapping::map_mirrored(memory.value().get(), 0, length, Access::read_write);
        ASSERT_FALSE(made) << length;
        EXPECT_EQ(made.error().code, Errc::invalid_argument);
    }
    EXPECT_FALSE(Mapping::map_mirrored(-1, 0, page_size(), Access::read_write));
}

TEST(MirroredMapping, UnmapsBothHalves) {
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    std::byte* at;
    {
        auto made = Mapping::map_mirrored(memory.value().get(), 0, page_size(), Access::read_write);
        ASSERT_TRUE(made);
        at = made.value().data();
    }
    unsigned char resident;
    EXPECT_EQ(mincore(at, page_size(), &resident), -1);
    EXPECT_EQ(mincore(at + page_size(), page_size(), &resident), -1);
}

TEST(PrivateMemory, IsZeroAndBeginsWhereItIsAskedTo) {
    const std::size_t size = 8 * page_size();
    for (std::size_t alignment : {page_size(), 4 * page_size(), 512 * page_size()}) {
        auto* const data = static_cast<std::byte*>(map_private(size, alignment));
        ASSERT_NE(data, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % alignment, 0U);
        for (std::size_t i = 0; i < size; i += 512)
            ASSERT_EQ(data[i], std::byte{0});
        std::memset(data, 7, size);
        unmap_private(data, size);
        unsigned char resident;
        EXPECT_EQ(mincore(data, page_size(), &resident), -1);
    }
    EXPECT_EQ(map_private(std::size_t{1} << 62, page_size()), nullptr);
}

TEST(PrivateMemory, ComesAtOnceWhereItIsPopulated) {
    const std::size_t size = 8 * page_size();
    auto* const data = static_cast<std::byte*>(map_private(size, page_size()));
    ASSERT_NE(data, nullptr);
    populate(data + page_size(), 2 * page_size());
    unsigned char resident[8];
    ASSERT_EQ(mincore(data, size, resident), 0);
    EXPECT_EQ(resident[1] & 1, resident[2] & 1);  // both, or none: an older kernel does not know the call
    EXPECT_EQ(data[page_size()], std::byte{0});
    populate(nullptr, 0);  // best effort: no crash
    unmap_private(data, size);
}

TEST(PunchHole, GivesPagesBackAndReadsAsZeros) {
    const std::size_t pages = 8;
    auto memory = create_memory("test", pages * page_size());
    ASSERT_TRUE(memory);
    auto mapping = Mapping::map(memory.value().get(), 0, pages * page_size(), Access::read_write);
    ASSERT_TRUE(mapping);
    std::memset(mapping.value().data(), 7, pages * page_size());
    struct stat full {};
    ASSERT_EQ(fstat(memory.value().get(), &full), 0);
    punch_hole(memory.value().get(), page_size(), 6 * page_size());
    struct stat holed {};
    ASSERT_EQ(fstat(memory.value().get(), &holed), 0);
    EXPECT_LT(holed.st_blocks, full.st_blocks);
    EXPECT_EQ(holed.st_size, full.st_size);
    const std::byte* data = mapping.value().data();
    EXPECT_EQ(data[page_size() - 1], std::byte{7});
    EXPECT_EQ(data[page_size()], std::byte{0});
    EXPECT_EQ(data[7 * page_size() - 1], std::byte{0});
    EXPECT_EQ(data[7 * page_size()], std::byte{7});
    punch_hole(-1, 0, page_size());  // best effort: no crash
}

}  // namespace
}  // namespace hardwork::os
