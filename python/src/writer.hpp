// A growable byte buffer for records. Small records stay inside the object; it never throws, so that the binding can
// use it between C API calls without a try block.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace hardwork::py {

class Writer {
  public:
    static constexpr std::size_t kInline = 256;
    // A writer is reused for call after call: one large record must not keep its memory for ever.
    static constexpr std::size_t kKeep = std::size_t{1} << 20;

    Writer() = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { release(); }

    const std::byte* data() const { return begin_; }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    // True once memory was refused, until clear(): the content is then incomplete.
    bool out_of_memory() const { return out_of_memory_; }

    void clear() {
        size_ = 0;
        out_of_memory_ = false;
        if (capacity_ > kKeep) release();
    }

    // Forgets everything behind `size`.
    void truncate(std::size_t size) {
        if (size < size_) size_ = size;
    }

    // Room for `extra` more bytes.
    bool reserve(std::size_t extra) { return extra <= capacity_ - size_ || grow(extra); }

    bool append(const void* bytes, std::size_t count) {
        if (!reserve(count)) return false;
        if (count != 0) std::memcpy(begin_ + size_, bytes, count);
        size_ += count;
        return true;
    }

    // For encoders that know an upper bound: room() gives `bound` writable bytes at the end (nullptr: no memory), and
    // after writing `used` of them, advance(used).
    std::byte* room(std::size_t bound) { return reserve(bound) ? begin_ + size_ : nullptr; }
    void advance(std::size_t used) { size_ += used; }

  private:
    void release() {
        if (begin_ != inline_) std::free(begin_);
        begin_ = inline_;
        capacity_ = kInline;
    }

    __attribute__((noinline)) bool grow(std::size_t extra) {
        constexpr std::size_t limit = ~std::size_t{0} / 2;
        if (extra > limit - size_) return refuse();
        std::size_t wanted = size_ + extra;
        if (wanted < capacity_ * 2) wanted = capacity_ * 2;
        void* bigger = std::realloc(begin_ == inline_ ? nullptr : begin_, wanted);
        if (bigger == nullptr) return refuse();
        if (begin_ == inline_) std::memcpy(bigger, inline_, size_);
        begin_ = static_cast<std::byte*>(bigger);
        capacity_ = wanted;
        return true;
    }

    bool refuse() {
        out_of_memory_ = true;
        return false;
    }

    std::byte* begin_ = inline_;
    std::size_t size_ = 0;
    std::size_t capacity_ = kInline;
    bool out_of_memory_ = false;
    std::byte inline_[kInline];
};

}  // namespace hardwork::py
