#include "worker/publisher.hpp"

#include <climits>
#include <cstring>

#include "hardwork/fault.hpp"
#include "os/futex.hpp"

namespace hardwork {

ResultBuffer::ResultBuffer(std::shared_ptr<ResultMemory> memory) : memory_(std::move(memory)) {
    ResultMemory::set_here(memory_);
}

ResultBuffer::~ResultBuffer() {
    ResultMemory::set_here(nullptr);
    memory_->end();
}

// A result that was given up for its exception.
void ResultBuffer::give_up() {
    if (!large_) return;
    lent_.erase(extent_.offset);
    memory_->release(extent_);
    large_ = false;
}

std::byte* ResultBuffer::allocate(std::size_t size) {
    give_up();
    if (size <= sizeof scratch_) return scratch_;
    std::byte* data = memory_->allocate(size, extent_);
    if (data == nullptr) return nullptr;
    large_ = true;
    lent_.emplace(extent_.offset, extent_.length);
    HARDWORK_FAULT_POINT();
    return data;
}

bool ResultBuffer::hand_over(Segment& segment) {
    auto* const own = dynamic_cast<ResultSegment*>(&segment);
    shm::Extent extent{};
    if (own == nullptr || !own->give_up(*memory_, extent)) return false;
    give_up();
    extent_ = extent;
    large_ = true;
    lent_.emplace(extent_.offset, extent_.length);
    used_ = extent_.length;
    HARDWORK_FAULT_POINT();
    return true;
}

void ResultBuffer::reset() {
    large_ = false;
    used_ = 0;
}

void ResultBuffer::take_back(std::uint64_t offset) {
    const auto found = lent_.find(offset);
    if (found == lent_.end()) return;
    memory_->release({offset, found->second});
    lent_.erase(found);
}

void Publisher::wait_for_room(std::uint64_t need) {
    shm::Control& control = lane_.control();
    full_fence();
    ring_if_wanted();
    for (;;) {
        known_head_ = control.parent.result_head.load(std::memory_order_acquire);
        if (shm::kResultRingSize - (tail_ - known_head_) >= need) return;
        const std::uint32_t bell = control.parent.work_bell.load(std::memory_order_acquire);
        control.bells.blocked.store(1, std::memory_order_relaxed);
        full_fence();
        known_head_ = control.parent.result_head.load(std::memory_order_acquire);
        if (shm::kResultRingSize - (tail_ - known_head_) < need) {
            // The collector always sleeps on its bell: it reads for those who do not wait themselves.
            control.bells.collector_bell.fetch_add(1, std::memory_order_release);
            os::futex_wake(control.bells.collector_bell, INT_MAX);
            os::futex_wait(control.parent.work_bell, bell, os::kNoDeadline);
        }
        control.bells.blocked.store(0, std::memory_order_relaxed);
    }
}

namespace {

// As memcpy, which is a call for a length that the compiler does not know. The usual results are a number.
inline void copy_short(std::byte* to, const void* from, std::uint32_t length) {
    switch (length) {
        case 4: std::memcpy(to, from, 4); break;
        case 8: std::memcpy(to, from, 8); break;
        default: std::memcpy(to, from, length); break;
    }
}

}  // namespace

bool Publisher::publish(shm::RecordKind kind, Outcome outcome, std::uint32_t index, std::uint32_t nanoseconds,
                        std::uint64_t task, const ResultBuffer& out) {
    const shm::Extent extent = out.extent();
    const bool in_arena = out.in_arena();
    const std::uint32_t length =
        in_arena ? static_cast<std::uint32_t>(sizeof extent) : static_cast<std::uint32_t>(out.used());
    if (kind == shm::RecordKind::item) {
        const bool follows =
            index == next_index_ && task == span_ && !in_arena && outcome == Outcome::value && nanoseconds == 0;
        span_ = task;
        next_index_ = index + 1;
        if (follows) kind = shm::RecordKind::next_item;
    }
    const std::size_t header = shm::header_size(kind);
    const std::uint64_t need = shm::record_size(kind, length);
    const bool full = shm::kResultRingSize - (tail_ - known_head_) < need;
    if (full) wait_for_room(need);
    std::byte* at = lane_.result(tail_);
    const auto words = shm::record_words({length, kind, static_cast<std::uint8_t>(outcome),
                                          static_cast<std::uint8_t>(in_arena ? 1 : 0),
                                          static_cast<std::uint8_t>(generation_), index, nanoseconds, task});
    std::memcpy(at, &words.words[0], sizeof words.words[0]);
    if (header != shm::kShortHeader)
        std::memcpy(at + sizeof words.words[0], &words.words[1], 2 * sizeof words.words[0]);
    HARDWORK_FAULT_POINT();
    const void* payload = in_arena ? static_cast<const void*>(&extent) : out.scratch();
    if (length != 0) copy_short(at + header, payload, length);
    HARDWORK_FAULT_POINT();
    tail_ += need;
    shm::Control& control = lane_.control();
    control.worker.result_tail.store(tail_, std::memory_order_release);
    unannounced_ = true;
    // The parent has read the lines that come next, a round of the ring ago: getting them back takes longer than a short
    // item, and need not wait until that is done.
    __builtin_prefetch(lane_.result(tail_ + 64), 1);
    return full;
}

void Publisher::ring(std::uint32_t want) {
    rung_ = want;
    shm::BellLine& bells = lane_.control().bells;
    if ((want & shm::kWantCaller) != 0) {
        bells.caller_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(bells.caller_bell, INT_MAX);
    }
    if ((want & shm::kWantCollector) != 0) {
        bells.collector_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(bells.collector_bell, INT_MAX);
    }
}

void Publisher::ring_if_idle_wanted() {
    shm::Control& control = lane_.control();
    const std::uint32_t want = control.parent.want.load(std::memory_order_relaxed);
    if ((want & shm::kWantIdle) == 0 || want == idle_rung_) return;
    idle_rung_ = want;
    control.bells.collector_bell.fetch_add(1, std::memory_order_release);
    os::futex_wake(control.bells.collector_bell, INT_MAX);
}

}  // namespace hardwork
