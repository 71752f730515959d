// Maps: items in, blocks of results out, in order.
#include <algorithm>
#include <utility>

#include "engine/core.hpp"

namespace hardwork {

Job* EngineCore::start_job(std::uint32_t function, const JobOptions& options, Error& why) {
    if (!in_owner_process()) {
        why = Error{Errc::forked, 0, "the pool belongs to the process that made it, not to a fork of it"};
        return nullptr;
    }
    const std::lock_guard hold(mutex_);
    if (broken_ || shutting_down_) {
        why = Error{broken_ ? Errc::broken : Errc::shut_down, 0, "map"};
        return nullptr;
    }
    auto* job = new Job;
    job->function = function;
    job->ordered = options.ordered;
    job->most_in_row = options.most_in_row;
    job->limits = options.limits;
    if (job->limits != 0) limited_begins(job->limits);
    if (options_.max_memory_per_worker != 0) watch_memory();
    all_jobs_.push_back(job);
    ++functions_[function].pending;
    ++jobs_;
    return job;
}

bool EngineCore::add_span(Job* job, Input& input, std::uint32_t count) {
    const std::lock_guard hold(mutex_);
    auto chunk = std::make_unique<Chunk>();
    chunk->input = input;
    chunk->base = job->items;
    chunk->count = count;
    chunk->unfinished = count;
    tally_.sent += input.length;
    input.data = nullptr;
    job->items += count;
    if (broken_ || job->cancelled) {
        // Ends at once: the reader finds the end, or the pool's cause.
        drop_items(*job, *chunk, count);
        job->cancelled = true;
        return true;
    }
    job->chunks.push_back(std::move(chunk));
    job->unspanned += count;
    if (open_jobs_.empty() || open_jobs_.back() != job) open_jobs_.push_back(job);
    drain();
    fill();
    arm_idle();
    if (options_.on_demand || births_at_ != os::kNoDeadline) keep_workers();
    return true;
}

void EngineCore::seal(Job* job) {
    const std::lock_guard hold(mutex_);
    job->sealed = true;
    if (job->waited) wake_waiters(nullptr, job);
    free_job_if_over(job);
}

Room EngineCore::room_of(const Job& job, const Bounds& bounds) const {
    if (job.cancelled || broken_) return Room::unwanted;
    const bool fits = job.items - job.finished <= bounds.unfinished && job.items - job.handed_out <= bounds.unread;
    return fits ? Room::free : Room::full;
}

void EngineCore::hand_out(Job* job, std::uint64_t count) {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    job->handed_out += count;
    if (job->waited) wake_waiters(nullptr, job);
}

Room EngineCore::room(Job* job, const Bounds& bounds) {
    if (!in_owner_process()) return Room::unwanted;
    const std::lock_guard hold(mutex_);
    return room_of(*job, bounds);
}

bool EngineCore::subscribe(Job* job, void* cookie) {
    const std::lock_guard hold(mutex_);
    if (job->function == ~std::uint32_t{0}) return false;
    job->subscriber = cookie;
    listen();
    return true;
}

bool EngineCore::job_ready(const Job& job) const {
    if (job.cancelled || broken_) return true;
    if (job.sealed && job.read_next == job.items) return true;
    if (job.pieces.empty()) return false;
    if (!job.ordered) {
        return std::any_of(job.pieces.begin(), job.pieces.end(),
                           [](const auto& each) { return each.second->received > each.second->taken; });
    }
    const auto& [first, piece] = *job.pieces.begin();
    return piece->received > piece->taken && first + piece->taken == job.read_next;
}

// What the piece has goes to the reader. True if no more of it will come.
bool EngineCore::take_blocks(Job& job, Piece& piece, std::vector<Block>& blocks) {
    for (Block& ready : piece.blocks)
        blocks.push_back(std::move(ready));
    piece.blocks.clear();
    job.read_next += piece.received - piece.taken;
    piece.taken = piece.received;
    return piece.closed;
}

JobState EngineCore::next_block(Job* job, ResultBlock& block) {
    std::vector<Block> blocks;
    {
        const std::lock_guard hold(mutex_);
        if (drain()) fill();
        for (auto each = job->pieces.begin(); each != job->pieces.end();) {
            if (job->ordered && each->first + each->second->taken != job->read_next) break;
            const bool all = take_blocks(*job, *each->second, blocks);
            if (!all && job->ordered) break;
            each = all ? job->pieces.erase(each) : std::next(each);
        }
        if (blocks.empty()) {
            if (job->sealed && !job->cut_off && job->read_next == job->items) return JobState::end;
            if (broken_) return JobState::broken;
            return job->cancelled ? JobState::cancelled : JobState::pending;
        }
    }
    BlockAccess::fill(block, std::move(blocks));
    return JobState::block;
}

void EngineCore::release_chunk(Chunk& chunk) {
    if (chunk.input.in_arena && chunk.input.length != 0) {
        input_arena_.release({chunk.input.offset, chunk.input.length});
        chunk.input.length = 0;
    }
}

// So many items of the chunk are over.
void EngineCore::end_items(Job& job, Chunk& chunk, Ending ending, std::uint32_t count) {
    tally_.count(ending, count);
    job.finished += count;
    chunk.unfinished -= count;
    if (chunk.unfinished == 0) release_chunk(chunk);
}

// They will not run: nobody wants them, or the pool gave up.
void EngineCore::drop_items(Job& job, Chunk& chunk, std::uint32_t count) {
    end_items(job, chunk, broken_ ? Ending::broken : Ending::cancelled, count);
}

// The span's next item is over, and its reader finds how.
void EngineCore::end_item(SpanWork& span, Ending ending, bool large, std::span<const std::byte> payload) {
    append_item(*span.piece, ending, large, payload);
    ++span.next_result;
    end_items(*span.job, *span.chunk, ending, 1);
}

// The span has no item left that could still come: its piece is complete.
void EngineCore::span_over(SpanWork* span) {
    Job* job = span->job;
    if (span->piece != nullptr) {
        span->piece->closed = true;
        // One that the reader has emptied, or that never got an item, must not hide the next with that first number.
        if (span->piece->received == span->piece->taken) job->pieces.erase(span->piece_first);
    }
    --job->spans;
    if (LaneState* lane = lane_of(span->lane); lane != nullptr && lane->span == span) lane->span = nullptr;
    delete span;
    free_job_if_over(job);
}

void EngineCore::cancel_job(Job& job) {
    job.cancelled = true;
    for (auto& chunk : job.chunks) {
        drop_items(job, *chunk, chunk->count - chunk->next);
        chunk->next = chunk->count;
    }
    job.unspanned = 0;
    job.first_open = job.chunks.size();
    std::erase(open_jobs_, &job);
    std::vector<SpanWork*> dropped;
    std::erase_if(span_backlog_, [&](SpanWork* span) {
        if (span->job != &job) return false;
        dropped.push_back(span);
        return true;
    });
    ++job.spans;  // keeps it while its spans go
    for (SpanWork* span : dropped)
        drop_span(span);
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        for (std::uint32_t at = lane->head; at != lane->tail; ++at) {
            const Entry& entry = lane->entry(at);
            if (entry.kind != Entry::Kind::span || entry.span->job != &job) continue;
            if (SpanWork* span = take_back_items(*lane, at, 0)) drop_span(span);
        }
    }
    --job.spans;
    if (job.waited) wake_waiters(nullptr, &job);
}

// A span that is on no lane and never will be.
void EngineCore::drop_span(SpanWork* span) {
    drop_items(*span->job, *span->chunk, span->end - span->next_result);
    span_over(span);
}

void EngineCore::cancel_rest(Job* job) {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    if (job->cancelled) return;
    cancel_job(*job);
    free_job_if_over(job);
}

void EngineCore::hold_job(Job* job) {
    const std::lock_guard hold(mutex_);
    ++job->handles;
}

void EngineCore::release_job(Job* job) {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    if (--job->handles != 0) return;
    job->sealed = true;
    free_job_if_over(job);
    wake_collector();
}

void EngineCore::free_job_if_over(Job* job) {
    if (!job->sealed || job->finished != job->items || job->spans != 0) return;
    if (job->function != ~std::uint32_t{0}) {
        FunctionInfo& info = functions_[job->function];
        const std::uint32_t function = job->function;
        job->function = ~std::uint32_t{0};  // counted once
        --jobs_;
        if (job->limits != 0) limited_ends(job->limits);
        if (void* subscriber = std::exchange(job->subscriber, nullptr)) {
            notices_.push_back(subscriber);
            wake_collector();
        }
        if (--info.pending == 0 && info.forgotten) forget_if_unused(function);
        std::erase(open_jobs_, job);
        if (shutting_down_) wake_collector();
    }
    if (job->handles != 0) return;
    std::erase(all_jobs_, job);
    if (!runs_.empty()) std::erase_if(runs_, [job](const auto& each) { return each.first.first == job; });
    for (auto& [first, piece] : job->pieces) {
        for (Block& block : piece->blocks)
            drop_block(block);
    }
    delete job;
}

}  // namespace hardwork
