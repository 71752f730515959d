// An idle worker gets what waits behind a busy one, or with one that will not begin soon: it is being born, sits in its
// initializer, or has been stopped. The parent takes it back; workers never touch each other's lanes.
#include <algorithm>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/life.hpp"
#include "sched/placement.hpp"
#include "sched/span.hpp"

namespace hardwork {

namespace {
// Less queued work than this is done sooner where it is than after waking another worker...
constexpr std::uint64_t kWorthStealingNs = 5 * sched::kPackNs;
// ...unless its worker has shown nothing for so long: then it sits in a long task.
constexpr std::uint64_t kStuckNs = 100'000;
// A worker that is ready and gets a CPU has begun within this.
constexpr std::uint64_t kLateNs = 4'000'000;
}  // namespace

// It has work and is not at it.
bool EngineCore::yet_to_begin(const LaneState& lane) {
    return lane.live != 0 && lane.open() && lane.phase() < Phase::decode;
}

// It will not be at it soon. One that only waits for a CPU keeps what it has: else it would go to and fro between two such.
bool EngineCore::late(const LaneState& lane, std::uint64_t now) {
    if (now - lane.progress_at <= kLateNs || !yet_to_begin(lane)) return false;
    return lane.phase() <= Phase::init || os::is_stopped(lane.pid);
}

// Somebody has to look again whether it begins.
bool EngineCore::any_yet_to_begin() const {
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const auto& lane) { return lane != nullptr && yet_to_begin(*lane); });
}

bool EngineCore::can_lose(const LaneState& lane) {
    if (lane.live >= 2) return true;
    for (std::uint32_t at = lane.head; lane.live != 0 && at != lane.tail; ++at) {
        const Entry& entry = lane.entries[at % shm::kRequestSlots];
        if (entry.kind == Entry::Kind::span && entry.span->job->most_in_row == 0 &&
            entry.span->end - entry.span->next_result > 1) {
            return true;
        }
    }
    return false;
}

bool EngineCore::anything_to_steal() const {
    return std::any_of(lanes_.begin(), lanes_.end(),
                       [](const auto& lane) { return lane != nullptr && can_lose(*lane); });
}

// Something that a worker which becomes idle would be given, also if nobody is stuck.
bool EngineCore::worth_stealing() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
        return lane != nullptr && lane->queued_ns > kWorthStealingNs && can_lose(*lane);
    });
}

bool EngineCore::steal_for(LaneState& thief) {
    const std::uint64_t now = os::now_ns();
    LaneState* victim = nullptr;
    std::uint64_t most = 0;
    bool loses_all = false;  // also the first, in the end
    for (const auto& lane : lanes_) {
        if (lane == nullptr || lane.get() == &thief || lane->live == 0) continue;
        const bool stuck = now - lane->progress_at > kStuckNs;
        if (lane->queued_ns <= kWorthStealingNs && !stuck) continue;
        const bool all = late(*lane, now);
        if (!all && !can_lose(*lane)) continue;
        if (lane->queued_ns + 1 > most) {
            most = lane->queued_ns + 1;
            victim = lane.get();
            loses_all = all;
        }
    }
    if (victim == nullptr) return false;
    // From the back: what would have been started last.
    std::uint32_t tasks_left = victim->live > 1 || loses_all ? (victim->live + 1) / 2 : 0;
    bool gave = false;
    for (std::uint32_t at = victim->tail; at != victim->head;) {
        --at;
        Entry& entry = victim->entry(at);
        if (entry.kind == Entry::Kind::span) {
            if (gave) break;
            SpanWork* span = entry.span;
            const std::uint64_t cursor = victim->memory->lane.request(at).claim.load(std::memory_order_acquire);
            const std::uint32_t next = shm::cursor_next(cursor);
            if (next > span->end || next < span->next_result) {
                refuse(*victim);
                return false;
            }
            std::uint32_t keep = next < span->end ? sched::split_point(span->end - next) : 0;
            if (span->job->most_in_row != 0) {
                // Who asked for runs of so many gets them whole.
                if (next != span->piece_first - span->chunk->base) continue;
                keep = 0;
            }
            SpanWork* taken = next < span->end ? take_back_items(*victim, at, keep) : nullptr;
            if (victim->refused) return false;
            if (taken == nullptr) continue;
            if (!give_span(thief, taken)) {
                span_backlog_.push_front(taken);
                return false;
            }
            gave = true;
            break;
        }
        if (entry.kind == Entry::Kind::task && tasks_left > 0) {
            Task* task = take_back_task(*victim, at);
            if (task == nullptr) continue;
            --tasks_left;
            if (!give_task(thief, task)) {
                queue_front(task);
                break;
            }
            gave = true;
        }
    }
    if (!gave) return false;
    thief.progress_at = now;
    publish(thief);
    return true;
}

}  // namespace hardwork
