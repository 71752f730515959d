// Large results that their readers keep where they lie.
#include <new>

#include "engine/core.hpp"

namespace hardwork {

namespace {

class KeptResult final : public Segment {
  public:
    explicit KeptResult(LargeResult* large) : large_(large) { bytes_ = {large->data, large->extent.length}; }

  private:
    std::unique_ptr<LargeResult> large_;
};

// Takes it over. nullptr, and it stays where it is: no memory.
std::unique_ptr<Segment> kept(LargeResult*& large) {
    std::unique_ptr<Segment> segment(new (std::nothrow) KeptResult(large));
    if (segment != nullptr) large = nullptr;
    return segment;
}

}  // namespace

std::unique_ptr<Segment> EngineCore::keep(Task* task) {
    if ((task->flags & kResultLarge) == 0 || has_death(task->ending)) return nullptr;
    std::unique_ptr<Segment> segment = kept(task->storage.large);
    if (segment == nullptr) return nullptr;
    // As with release: it is done, and its handle is in one hand.
    task->flags = static_cast<std::uint8_t>(task->flags & ~kResultLarge);
    task->length = 0;
    return segment;
}

std::unique_ptr<Segment> ResultBlock::keep() {
    return impl_ != nullptr && impl_->current != nullptr ? kept(impl_->current) : nullptr;
}

}  // namespace hardwork
