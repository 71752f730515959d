#include "engine/slab.hpp"

#include <new>

#include "hardwork/detail/region.hpp"

namespace hardwork {

namespace {
constexpr std::size_t kChunkBytes = 256 * 1024;
using detail::kRegionBytes;
constexpr std::uint32_t kSlots = kChunkBytes / sizeof(Task);  // slot 0 is the chunk's head
}  // namespace

// Aligned to its size, so that a task's chunk is found from its address.
struct Slab::Chunk {
    std::uint32_t number;
    Task* slots() { return reinterpret_cast<Task*>(this); }
};

Slab::~Slab() {
    for (void* region : regions_)
        detail::give_back_region(region);
}

bool Slab::grow() {
    if (region_left_ == 0) {
        // Who has tens of thousands of tasks pending will have more: one page fault for 2 MB instead of 512.
        void* memory = detail::take_region(!regions_.empty());
        if (memory == nullptr) return false;
        regions_.push_back(memory);
        region_at_ = static_cast<std::byte*>(memory);
        region_left_ = kRegionBytes / kChunkBytes;
    }
    void* memory = region_at_;
    region_at_ += kChunkBytes;
    --region_left_;
    detail::touch(memory, kChunkBytes);  // all of it is written here
    auto* chunk = new (memory) Chunk{static_cast<std::uint32_t>(chunks_.size())};
    chunks_.push_back(chunk);
    unused_ = chunk->slots() + 1;
    unused_end_ = chunk->slots() + kSlots;
    return true;
}

Task* Slab::take() {
    if (free_ == nullptr) free_ = returned_.exchange(nullptr, std::memory_order_acquire);
    Task* task = free_;
    if (task != nullptr) {
        free_ = task->next;
    } else {
        if (unused_ == unused_end_ && !grow()) return nullptr;
        task = new (unused_++) Task{};
    }
    ++task->generation;
    return task;
}

void Slab::put_back(Task* task) {
    task->state.store(static_cast<std::uint8_t>(TaskState::free), std::memory_order_relaxed);
    Task* top = returned_.load(std::memory_order_relaxed);
    do {
        task->next = top;
    } while (!returned_.compare_exchange_weak(top, task, std::memory_order_release, std::memory_order_relaxed));
}

std::uint64_t Slab::number(const Task* task) {
    const auto address = reinterpret_cast<std::uintptr_t>(task);
    const auto* chunk = reinterpret_cast<const Chunk*>(address & ~(kChunkBytes - 1));
    const auto slot = static_cast<std::uint32_t>((address & (kChunkBytes - 1)) / sizeof(Task));
    return (std::uint64_t{task->generation} << 32) | (chunk->number * kSlots + slot);
}

Task* Slab::find(std::uint64_t number) const {
    const auto index = static_cast<std::uint32_t>(number);
    const std::uint32_t chunk = index / kSlots;
    const std::uint32_t slot = index % kSlots;
    if (chunk >= chunks_.size() || slot == 0) return nullptr;
    Task* task = chunks_[chunk]->slots() + slot;
    return task->generation == static_cast<std::uint32_t>(number >> 32) ? task : nullptr;
}

}  // namespace hardwork
