#include "shm/arena.hpp"

#include <bit>

namespace hardwork::shm {

std::uint64_t Arena::rounded(std::uint64_t length) {
    if (length <= kSmallestExtent) return kSmallestExtent;
    if (length <= kWindow) return std::bit_ceil(length);
    return align_up(length, kWindow);
}

bool Arena::allocate(std::uint64_t length, Extent& extent) {
    if (length > size_) return false;
    const std::uint64_t size = rounded(length);
    std::vector<std::uint64_t>* free_list = nullptr;
    if (size <= kWindow) {
        free_list = &small_[std::countr_zero(size)];
    } else if (auto found = large_.find(size); found != large_.end()) {
        free_list = &found->second;
    }
    std::uint64_t offset;
    if (free_list != nullptr && !free_list->empty()) {
        offset = free_list->back();
        free_list->pop_back();
        kept_free_ -= size < kept_free_ ? size : kept_free_;
    } else {
        // Aligned to its own size, so that a small extent never crosses a window.
        offset = align_up(next_, size <= kWindow ? size : kWindow);
        if (offset > size_ || size_ - offset < size) return false;
        next_ = offset + size;
    }
    in_use_ += size;
    extent = Extent{offset, length};
    return true;
}

void Arena::release(Extent extent) {
    const std::uint64_t size = rounded(extent.length);
    in_use_ -= size;
    if (size >= 64 * 1024 && kept_free_ + size > kKeepFree) {
        os::punch_hole(fd_, base_ + extent.offset, size);
    } else {
        kept_free_ += size;
    }
    if (size <= kWindow) {
        small_[std::countr_zero(size)].push_back(extent.offset);
    } else {
        large_[size].push_back(extent.offset);
    }
}

std::byte* Windows::map(std::uint64_t offset, std::uint64_t length) {
    auto found = mapped_.find(offset);
    if (found != mapped_.end()) {
        // An offset keeps its size for ever (free lists are by size), so a shorter mapping means a forged extent; it
        // must not unmap what somebody reads.
        return found->second.mapping.size() >= length ? found->second.mapping.data() : nullptr;
    }
    if (!file_.unchanged()) return nullptr;
    auto mapping = os::Mapping::map(file_.fd(), base_ + offset, length, access_);
    if (!mapping) return nullptr;
    std::byte* data = mapping.value().data();
    mapped_.emplace(offset, Mapped{mapping.take()});
    return data;
}

bool Windows::plausible(Extent extent) const {
    if (extent.offset > size_ || extent.length > size_ - extent.offset) return false;
    const std::uint64_t into_window = extent.offset % kWindow;
    return extent.length <= kWindow ? into_window + extent.length <= kWindow : into_window == 0;
}

std::byte* Windows::at(Extent extent) {
    if (!plausible(extent)) return nullptr;
    const std::uint64_t window = extent.offset / kWindow * kWindow;
    if (extent.length <= kWindow) {
        if (window == last_offset_) return last_data_ + (extent.offset - window);
        std::byte* data = map(window, kWindow);
        if (data == nullptr) return nullptr;
        last_offset_ = window;
        last_data_ = data;
        return data + (extent.offset - window);
    }
    last_offset_ = ~std::uint64_t{0};  // the mapping may replace the window's
    return map(window, align_up(extent.length, kWindow));
}

void Windows::forget(Extent extent) {
    if (extent.length <= kWindow) return;
    // A forged small extent may have led there since.
    if (last_offset_ == extent.offset) last_offset_ = ~std::uint64_t{0};
    mapped_.erase(extent.offset);
}

}  // namespace hardwork::shm
