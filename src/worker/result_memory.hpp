// The result arena of a lane, in its worker. The claim loop puts large results there; and tasks take memory of it, on any
// thread, to fill it before it is a result. What they have not given back may outlive the claim loop.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "hardwork/segment.hpp"
#include "os/generation.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"

namespace hardwork {

class ResultMemory {
  public:
    explicit ResultMemory(int lane_fd, std::uint64_t size = shm::kResultArenaSize)
        : arena_(lane_fd, shm::Lane::result_arena_offset(), size),
          windows_(lane_fd, shm::Lane::result_arena_offset(), size, os::Access::read_write) {}

    // nullptr: no room.
    std::byte* allocate(std::uint64_t size, shm::Extent& extent);
    void release(shm::Extent extent);
    std::uint64_t in_use() {
        const std::lock_guard hold(lock_);
        return arena_.in_use();
    }
    // The worker's life is over: its descriptor may be closed by now, and nobody wants what is released.
    void end();

    // From now on allocate_result() takes from this one, in this process; nullptr: from none.
    static void set_here(std::shared_ptr<ResultMemory> memory);

  private:
    std::mutex lock_;
    shm::Arena arena_;
    shm::Windows windows_;
    bool ended_ = false;
};

// What allocate_result() gives.
class ResultSegment final : public Segment {
  public:
    ResultSegment(std::shared_ptr<ResultMemory> memory, std::byte* data, shm::Extent extent)
        : memory_(std::move(memory)), extent_(extent) {
        bytes_ = {data, extent.length};
    }
    ~ResultSegment() override {
        if (memory_ != nullptr && generation_ == os::process_generation()) memory_->release(extent_);
    }
    // Its extent, if it is of that memory and of this process: then it is the caller's.
    bool give_up(const ResultMemory& memory, shm::Extent& extent) {
        if (memory_.get() != &memory || generation_ != os::process_generation()) return false;
        extent = extent_;
        memory_.reset();
        return true;
    }

  private:
    std::shared_ptr<ResultMemory> memory_;
    shm::Extent extent_;
    const std::uint32_t generation_ = os::process_generation();
};

}  // namespace hardwork
