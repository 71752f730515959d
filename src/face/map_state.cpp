#include "hardwork/detail/map_state.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "face/failures.hpp"
#include "hardwork/detail/pool_core.hpp"

namespace hardwork::detail {

namespace {

// The engine counts the items of a span in 32 bits.
constexpr std::uint64_t kRangeSpanItems = std::uint64_t{1} << 30;
// How far a range without a size may be read ahead of its results.
constexpr std::uint64_t kMostItemsAhead = std::uint64_t{1} << 16;
constexpr std::uint64_t kMostBytesAhead = std::uint64_t{32} << 20;

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

template <class Throw>
std::exception_ptr caught(Throw thrower) {
    try {
        thrower();
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

}  // namespace

void SpanWriter::send(MapState& map) {
    if (ends_.empty()) return;
    SpanHeader header{SpanKind::table, count(), 0};
    if (fixed_size_ != 0) {
        header.kind = SpanKind::fixed;
        header.number = fixed_size_;
        map.add(std::array{bytes_of(header), items_.bytes()}, count());
    } else {
        const std::uint64_t zero = 0;
        map.add(std::array{bytes_of(header), bytes_of(zero), std::as_bytes(std::span(ends_)), items_.bytes()}, count());
    }
    items_.clear();
    ends_.clear();
}

MapState::MapState(std::shared_ptr<Engine> engine, Job* job, int workers)
    : engine_(std::move(engine)), job_(job), most_ahead_(static_cast<std::uint64_t>(workers) * 4) {}

MapState::~MapState() {
    engine_->cancel_rest(job_);
    engine_->release_job(job_);
}

void MapState::add(std::span<const std::span<const std::byte>> parts, std::uint32_t count) {
    std::size_t size = 0;
    for (const auto& part : parts)
        size += part.size();
    InputBuffer input(*engine_, size);
    std::size_t at = 0;
    for (const auto& part : parts) {
        if (!part.empty()) std::memcpy(input.memory().data() + at, part.data(), part.size());
        at += part.size();
    }
    if (!engine_->add_span(job_, input.give(), count)) {
        input.keep();
        throw std::bad_alloc();
    }
    if (feeder_ == nullptr) return;
    ahead_.push_back({count, size});
    items_ahead_ += count;
    bytes_ahead_ += size;
}

void MapState::add_range(std::uint64_t first, std::uint64_t count) {
    while (count != 0) {
        const std::uint64_t part = std::min(count, kRangeSpanItems);
        const SpanHeader header{SpanKind::range, static_cast<std::uint32_t>(part), first};
        add(std::array{bytes_of(header)}, header.count);
        first += part;
        count -= part;
    }
}

void MapState::seal() { engine_->seal(job_); }

void MapState::feed_from(std::unique_ptr<Feeder> feeder) { feeder_ = std::move(feeder); }

void MapState::stop_feeding() {
    const std::lock_guard hold(feeding_);
    if (feeder_ == nullptr) return;
    feeder_.reset();
    feed_error_ = caught([] { throw ShutDown(); });
    seal();
}

bool MapState::hungry() const { return items_ahead_ < most_ahead_ && bytes_ahead_ < kMostBytesAhead; }

void MapState::top_up() {
    const std::lock_guard hold(feeding_);
    if (feeder_ == nullptr) return;
    // The workers are nearly through: it was too little.
    if (items_ahead_ < most_ahead_ / 2) most_ahead_ = std::min(most_ahead_ * 2, kMostItemsAhead);
    bool more = true;
    while (more && hungry()) {
        const std::uint64_t some = std::min(std::max<std::uint64_t>(most_ahead_ / 8, 1), most_ahead_ - items_ahead_);
        feed_error_ = caught([&] { more = feeder_->feed(*this, static_cast<std::uint32_t>(some)); });
        if (feed_error_ != nullptr) more = false;
    }
    if (more) return;
    feeder_.reset();
    seal();
}

void MapState::taken() {
    if (ahead_.empty()) return;
    const std::lock_guard hold(feeding_);
    --items_ahead_;
    if (--ahead_.front().items != 0) return;
    bytes_ahead_ -= ahead_.front().bytes;
    ahead_.pop_front();
}

bool MapState::next() {
    if (failure_ != nullptr) over_ = true;
    if (over_) return false;
    for (;;) {
        if (block_.next(result_)) {
            taken();
            return true;
        }
        if (!engine_->in_owner_process()) throw WrongProcess();
        top_up();
        switch (engine_->next_block(job_, block_)) {
            case JobState::block: continue;
            case JobState::end:
                failure_ = feed_error_;
                over_ = failure_ == nullptr;
                return !over_;
            case JobState::cancelled: failure_ = caught([] { throw Cancelled(); }); return true;
            case JobState::broken:
                failure_ = caught([&] { face::throw_error(Error{Errc::broken, 0, ""}, engine_.get()); });
                return true;
            case JobState::pending: break;
        }
        if (!engine_->spin(job_)) engine_->wait(job_, kNever);
    }
}

std::span<const std::byte> MapState::value() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    if (result_.in_lane && !engine_->in_owner_process()) throw WrongProcess();
    if (result_.ending != Ending::value) face::throw_ending(result_, *engine_);
    return result_.bytes;
}

void MapState::cancel() {
    const std::lock_guard hold(feeding_);
    feeder_.reset();
    engine_->cancel_rest(job_);
    seal();
}

}  // namespace hardwork::detail
