// The worker's side of the result ring: room for a record, its bytes, the store that makes it the parent's, the bell.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "hardwork/worker.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"
#include "worker/result_memory.hpp"

namespace hardwork {

// Scratch for small results, an extent of the result arena for large ones.
class ResultBuffer final : public Output {
  public:
    // While it lives, tasks allocate from that memory.
    explicit ResultBuffer(std::shared_ptr<ResultMemory> memory);
    ResultBuffer(const ResultBuffer&) = delete;
    ResultBuffer& operator=(const ResultBuffer&) = delete;
    ~ResultBuffer() override;
    std::byte* allocate(std::size_t size) override;
    bool hand_over(Segment& segment) override;

    void reset();
    // The parent has read the large result that began at `offset`.
    void take_back(std::uint64_t offset);
    bool in_arena() const { return large_; }
    shm::Extent extent() const { return {extent_.offset, used_}; }
    const std::byte* scratch() const { return scratch_; }

  private:
    void give_up();

    const std::shared_ptr<ResultMemory> memory_;
    shm::Extent extent_{};
    std::unordered_map<std::uint64_t, std::uint64_t> lent_;  // offset -> length as allocated
    bool large_ = false;
    alignas(8) std::byte scratch_[shm::kMaxInlineResult];
};

class Publisher {
  public:
    explicit Publisher(shm::Lane& lane) : lane_(lane), generation_(lane.control().info.generation) {}
    // Blocks while the ring is full, and says so. `task` is the number in the request, `index` that of an item. The record is the
    // parent's at once; the parent is woken by ring_if_wanted(), which must be called before anything takes time.
    bool publish(shm::RecordKind kind, Outcome outcome, std::uint32_t index, std::uint32_t nanoseconds,
                 std::uint64_t task, const ResultBuffer& out);
    // Wakes the parent if it sleeps and has not been told yet of the last record. After a full fence, or a compare-and-
    // swap with fence_after_rmw(): the parent sets `want` and then looks at the tail, we store the tail and then look at
    // `want`; without a fence on both sides each could miss the other's store.
    void ring_if_wanted() {
        if (!unannounced_) return;
        unannounced_ = false;
        const std::uint32_t want = lane_.control().parent.want.load(std::memory_order_relaxed);
        if ((want & (shm::kWantCaller | shm::kWantCollector)) != 0 && want != rung_) ring(want);
    }
    // Called before the worker sleeps: tells the parent if it wants to know that a worker has nothing to do.
    void ring_if_idle_wanted();

  private:
    void wait_for_room(std::uint64_t need);
    void ring(std::uint32_t want);

    shm::Lane& lane_;
    std::uint64_t tail_ = 0;
    std::uint64_t known_head_ = 0;
    std::uint64_t span_ = 0;  // of the last item published, with the index after it; spans are numbered from 1
    std::uint32_t next_index_ = 0;
    bool unannounced_ = false;  // a record was published and ring_if_wanted() not yet called
    std::uint32_t rung_ = 0;    // the value of `want` that was last answered
    std::uint32_t idle_rung_ = 0;
    std::uint32_t generation_;
};

}  // namespace hardwork
