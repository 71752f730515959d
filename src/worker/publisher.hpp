// The worker's side of the result ring: room for a record, its bytes, the store that makes it the parent's, the bell.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "hardwork/worker.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"

namespace hardwork {

// Scratch for small results, an extent of the result arena for large ones.
class ResultBuffer final : public Output {
  public:
    ResultBuffer(shm::Arena& arena, shm::Windows& windows) : arena_(arena), windows_(windows) {}
    std::byte* allocate(std::size_t size) override;

    void reset();
    // The parent has read the large result that began at `offset`.
    void take_back(std::uint64_t offset);
    bool in_arena() const { return large_; }
    shm::Extent extent() const { return {extent_.offset, used_}; }
    const std::byte* scratch() const { return scratch_; }

  private:
    shm::Arena& arena_;
    shm::Windows& windows_;
    shm::Extent extent_{};
    std::unordered_map<std::uint64_t, std::uint64_t> lent_;  // offset -> length as allocated
    bool large_ = false;
    alignas(8) std::byte scratch_[shm::kMaxInlineResult];
};

class Publisher {
  public:
    explicit Publisher(shm::Lane& lane) : lane_(lane), generation_(lane.control().info.generation) {}
    // Blocks while the ring is full. `record.length` etc. are filled in from `out`.
    void publish(shm::Record record, const ResultBuffer& out);
    // Called before the worker sleeps: tells the parent if it wants to know that a worker has nothing to do.
    void ring_if_idle_wanted();

  private:
    void wait_for_room(std::uint64_t need);
    void ring(std::uint32_t want);

    shm::Lane& lane_;
    std::uint64_t tail_ = 0;
    std::uint64_t known_head_ = 0;
    std::uint32_t rung_ = 0;  // the value of `want` that was last answered
    std::uint32_t idle_rung_ = 0;
    std::uint32_t generation_;
};

}  // namespace hardwork
