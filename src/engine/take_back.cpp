// What a worker has been given and has not begun comes back to the parent: one compare-and-swap on its claim decides.
#include "engine/core.hpp"

namespace hardwork {

// The task at that position; nullptr if its worker has claimed it.
Task* EngineCore::take_back_task(LaneState& lane, std::uint32_t position) {
    Entry& entry = lane.entry(position);
    Task* task = entry.task;
    if (!shm::claim_task(lane.memory->lane.request(position).claim, shm::kTaken)) return nullptr;
    entry = Entry{};
    account(lane, task->function);
    return task;
}

// The items of the span at that position but for `keep` that its worker may still begin; nullptr if there are no more.
// Also nullptr, and the lane is refused, if the worker has written what cannot be.
SpanWork* EngineCore::take_back_items(LaneState& lane, std::uint32_t position, std::uint32_t keep) {
    Entry& entry = lane.entry(position);
    SpanWork* span = entry.span;
    std::uint32_t first;
    std::uint32_t last;
    if (!shm::take_tail(lane.memory->lane.request(position).claim, keep, first, last)) return nullptr;
    if (last != span->end || first < span->next_result) {
        refuse(lane);
        return nullptr;
    }
    SpanWork* taken = new_span(*span->job, *span->chunk, first, last);
    span->end = first;
    const std::uint64_t moved = functions_[span->job->function].estimate.ns() * (last - first);
    lane.queued_ns -= moved < lane.queued_ns ? moved : lane.queued_ns;
    if (span->next_result == span->end) {  // everything before the cut had come in already
        account(lane, span->job->function);
        entry = Entry{};
        span_over(span);
    }
    return taken;
}

// All of it, to be given to others.
void EngineCore::take_back_all(LaneState& lane) {
    for (std::uint32_t at = lane.tail; at != lane.head && !lane.refused;) {
        --at;
        switch (lane.entry(at).kind) {
            case Entry::Kind::none: break;
            case Entry::Kind::task:
                if (Task* task = take_back_task(lane, at)) queue_front(task);
                break;
            case Entry::Kind::span:
                if (SpanWork* span = take_back_items(lane, at, 0)) span_backlog_.push_front(span);
                break;
        }
    }
}

}  // namespace hardwork
