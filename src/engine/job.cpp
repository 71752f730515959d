#include "engine/job.hpp"

#include <algorithm>
#include <cstring>

#include "engine/lane_state.hpp"

namespace hardwork {

namespace {
constexpr std::size_t kBlockBytes = 64 * 1024;
}

SpanWork* new_span(Job& job, Chunk& chunk, std::uint32_t first, std::uint32_t end) {
    auto* span = new SpanWork;
    span->job = &job;
    span->chunk = &chunk;
    span->next_result = first;
    span->end = end;
    ++job.spans;
    return span;
}

void append_item(Piece& piece, Ending ending, bool large, std::span<const std::byte> payload) {
    const std::size_t need = sizeof(ItemHeader) + align_up(payload.size(), 8);
    if (piece.blocks.empty() || piece.blocks.back().capacity - piece.blocks.back().size < need) {
        // The first blocks are small, so that a map of few items costs little.
        const std::size_t grown = piece.blocks.empty() ? 1024 : std::min(piece.blocks.back().capacity * 4, kBlockBytes);
        Block fresh;
        fresh.capacity = std::max(need, grown);
        fresh.bytes = std::make_unique_for_overwrite<std::byte[]>(fresh.capacity);
        piece.blocks.push_back(std::move(fresh));
    }
    Block& block = piece.blocks.back();
    std::byte* at = block.bytes.get() + block.size;
    const ItemHeader header{static_cast<std::uint32_t>(payload.size()), ending, static_cast<std::uint8_t>(large), 0};
    std::memcpy(at, &header, sizeof header);
    if (!payload.empty()) std::memcpy(at + sizeof header, payload.data(), payload.size());
    block.size += need;
    ++block.count;
    block.has_large = block.has_large || large;
    ++piece.received;
}

namespace {
LargeResult* large_of(const std::byte* payload) {
    LargeResult* large;
    std::memcpy(&large, payload, sizeof large);
    return large;
}
}  // namespace

void drop_block(Block& block) {
    if (!block.has_large) return;
    std::size_t at = 0;
    while (at < block.size) {
        ItemHeader header;
        std::memcpy(&header, block.bytes.get() + at, sizeof header);
        if (header.large != 0) delete large_of(block.bytes.get() + at + sizeof header);
        at += sizeof header + align_up(header.length, 8);
    }
    block.has_large = false;
}

void BlockAccess::fill(ResultBlock& result, std::vector<Block> blocks) {
    result = ResultBlock{};
    result.impl_ = std::make_unique<ResultBlock::Impl>();
    result.impl_->blocks = std::move(blocks);
    result.impl_->left = result.impl_->blocks.empty() ? 0 : result.impl_->blocks.front().count;
}

ResultBlock::ResultBlock() = default;
ResultBlock::ResultBlock(ResultBlock&& other) noexcept = default;

ResultBlock& ResultBlock::operator=(ResultBlock&& other) noexcept {
    if (this != &other) {
        this->~ResultBlock();
        new (this) ResultBlock(std::move(other));
    }
    return *this;
}

ResultBlock::~ResultBlock() {
    if (impl_ == nullptr) return;
    delete impl_->current;
    // What was read has been freed one by one; the rest of the current block is walked by hand.
    while (impl_->block < impl_->blocks.size()) {
        Block& block = impl_->blocks[impl_->block];
        if (block.has_large) {
            while (impl_->left > 0) {
                ItemHeader header;
                std::memcpy(&header, block.bytes.get() + impl_->at, sizeof header);
                if (header.large != 0) delete large_of(block.bytes.get() + impl_->at + sizeof header);
                impl_->at += sizeof header + align_up(header.length, 8);
                --impl_->left;
            }
        }
        ++impl_->block;
        impl_->at = 0;
        impl_->left = impl_->block < impl_->blocks.size() ? impl_->blocks[impl_->block].count : 0;
    }
}

bool ResultBlock::next(TaskResult& result) {
    if (impl_ == nullptr) return false;
    Impl& impl = *impl_;
    if (impl.current != nullptr) {
        delete impl.current;
        impl.current = nullptr;
    }
    while (impl.left == 0) {
        if (impl.block >= impl.blocks.size() || ++impl.block >= impl.blocks.size()) return false;
        impl.at = 0;
        impl.left = impl.blocks[impl.block].count;
    }
    const std::byte* at = impl.blocks[impl.block].bytes.get() + impl.at;
    ItemHeader header;
    std::memcpy(&header, at, sizeof header);
    result.ending = header.ending;
    result.in_lane = header.large != 0;
    result.bytes = {at + sizeof header, header.length};
    if (header.large != 0) {
        impl.current = large_of(at + sizeof header);
        result.bytes = {impl.current->data, impl.current->extent.length};
    } else if (has_death(header.ending)) {
        std::memcpy(&result.death, at + sizeof header, sizeof result.death);
    }
    impl.at += sizeof header + align_up(header.length, 8);
    --impl.left;
    return true;
}

}  // namespace hardwork
