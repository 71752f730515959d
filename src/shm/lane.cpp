#include "shm/lane.hpp"

#include <new>

namespace hardwork::shm {

namespace {
constexpr std::uint32_t kMagic = 0x6b726f77;  // "work"
constexpr std::uint32_t kVersion = 4;

// Page sizes of 4 KiB to 64 KiB are met (aarch64): every part begins on a 64 KiB boundary.
constexpr std::uint64_t kGrain = 64 * 1024;
constexpr std::uint64_t kControlSize = 4096;
constexpr std::uint64_t kFixedSize = align_up(kControlSize + kRequestSlots * sizeof(Request), kGrain);
constexpr std::uint64_t kRingOffset = kFixedSize;
constexpr std::uint64_t kArenaOffset = std::uint64_t{1} << 30;
static_assert(kRingOffset + kResultRingSize <= kArenaOffset);
static_assert(is_power_of_two(kRequestSlots) && is_power_of_two(kResultRingSize) && kResultRingSize % kGrain == 0);
static_assert(kMaxInlineResult * 2 + 1024 < kResultRingSize, "the largest record must fit beside another");
}  // namespace

std::uint64_t Lane::result_arena_offset() { return kArenaOffset; }

Result<Lane> Lane::create(const LaneInfo& info, os::Fd& memory) {
    auto fd = os::create_memory("hardwork-lane", kArenaOffset + kResultArenaSize);
    if (!fd) return fd.error();
    Lane lane;
    auto fixed = os::Mapping::map(fd.value().get(), 0, kFixedSize, os::Access::read_write);
    if (!fixed) return fixed.error();
    auto ring = os::Mapping::map_mirrored(fd.value().get(), kRingOffset, kResultRingSize, os::Access::read_write);
    if (!ring) return ring.error();
    lane.fixed_ = fixed.take();
    lane.ring_ = ring.take();
    lane.requests_ = reinterpret_cast<Request*>(lane.fixed_.data() + kControlSize);
    auto* control = new (lane.fixed_.data()) Control{};
    control->info = info;
    control->info.magic = kMagic;
    control->info.version = kVersion;
    control->parent.cpu.store(-1, std::memory_order_relaxed);
    control->bells.cpu.store(-1, std::memory_order_relaxed);
    control->life.prepare();
    memory = fd.take();
    return lane;
}

Result<Lane> Lane::attach(int memory_fd) {
    Lane lane;
    auto fixed = os::Mapping::map(memory_fd, 0, kFixedSize, os::Access::read_write);
    if (!fixed) return fixed.error();
    auto ring = os::Mapping::map_mirrored(memory_fd, kRingOffset, kResultRingSize, os::Access::read_write);
    if (!ring) return ring.error();
    lane.fixed_ = fixed.take();
    lane.ring_ = ring.take();
    lane.requests_ = reinterpret_cast<Request*>(lane.fixed_.data() + kControlSize);
    const LaneInfo& info = lane.control().info;
    if (info.magic != kMagic || info.version != kVersion) {
        return Error{Errc::invalid_argument, 0, "attach to a lane: this is not a lane of this version"};
    }
    return lane;
}

}  // namespace hardwork::shm
