#include "worker/result_memory.hpp"

#include <new>
#include <utility>

#include "base/atomic.hpp"

namespace hardwork {

namespace {

// Never destroyed: a task's threads may still ask while the program ends.
struct Here {
    std::mutex lock;
    std::shared_ptr<ResultMemory> memory;
    // The process that has it. Looked at first: in a fork of it the lock may be held for ever.
    Atomic<std::uint32_t> generation{~std::uint32_t{0}};
};
Here& here() {
    static auto* const one = new Here;
    return *one;
}

}  // namespace

std::byte* ResultMemory::allocate(std::uint64_t size, shm::Extent& extent) {
    const std::lock_guard hold(lock_);
    if (ended_ || !arena_.allocate(size, extent)) return nullptr;
    std::byte* data = windows_.at(extent);
    if (data == nullptr) arena_.release(extent);
    return data;
}

void ResultMemory::release(shm::Extent extent) {
    const std::lock_guard hold(lock_);
    if (!ended_) arena_.release(extent);
}

void ResultMemory::end() {
    const std::lock_guard hold(lock_);
    ended_ = true;
}

void ResultMemory::set_here(std::shared_ptr<ResultMemory> memory) {
    Here& one = here();
    if (memory == nullptr) one.generation.store(~std::uint32_t{0}, std::memory_order_release);
    const bool set = memory != nullptr;
    {
        const std::lock_guard hold(one.lock);
        one.memory.swap(memory);
    }
    if (set) one.generation.store(os::process_generation(), std::memory_order_release);
}

std::unique_ptr<Segment> allocate_result(std::size_t size) {
    Here& one = here();
    if (size <= shm::kMaxInlineResult || one.generation.load(std::memory_order_acquire) != os::process_generation()) {
        return nullptr;
    }
    std::shared_ptr<ResultMemory> memory;
    {
        const std::lock_guard hold(one.lock);
        memory = one.memory;
    }
    shm::Extent extent{};
    std::byte* data = memory != nullptr ? memory->allocate(size, extent) : nullptr;
    if (data == nullptr) return nullptr;
    std::unique_ptr<Segment> segment(new (std::nothrow) ResultSegment(memory, data, extent));
    if (segment == nullptr) memory->release(extent);
    return segment;
}

}  // namespace hardwork
