#include "hardwork/buffer.hpp"

#include <cstring>
#include <new>

namespace hardwork {

namespace {

// Memory of this process alone.
class Block final : public Segment {
  public:
    explicit Block(std::size_t size) {
        bytes_ = {static_cast<std::byte*>(::operator new (size, std::align_val_t{Buffer::alignment})), size};
    }
    ~Block() override { ::operator delete (bytes_.data(), std::align_val_t{Buffer::alignment}); }
};

std::unique_ptr<Segment> allocate(std::size_t size) {
    if (size == 0) return nullptr;
    if (std::unique_ptr<Segment> shared = allocate_result(size)) return shared;
    return std::make_unique<Block>(size);
}

}  // namespace

Buffer::Buffer(std::size_t size) : segment_(allocate(size)) {
    if (segment_ != nullptr) bytes_ = segment_->bytes();
}

Buffer Buffer::copy_of(std::span<const std::byte> bytes) {
    Buffer copy(bytes.size());
    if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
}

}  // namespace hardwork
