#include "face/function_table.hpp"

#include <new>
#include <span>

namespace hardwork::face {

std::size_t FunctionTable::bucket_of(const detail::Code& code) {
    const auto trampoline = reinterpret_cast<std::uintptr_t>(code.trampoline);
    const auto target = reinterpret_cast<std::uintptr_t>(code.target);
    return (((trampoline ^ (target * 31)) * 0x9E3779B97F4A7C15U) >> 32) % kBuckets;
}

std::uint32_t FunctionTable::find(const Entry* entry, const detail::Code& code) {
    for (; entry != nullptr; entry = entry->next) {
        if (entry->code == code) return entry->number;
    }
    return 0;
}

std::uint32_t FunctionTable::number_of(const detail::Code& code, Engine& engine) {
    std::atomic<Entry*>& bucket = buckets_[bucket_of(code)];
    if (const std::uint32_t known = find(bucket.load(std::memory_order_acquire), code); known != 0) return known;
    const std::lock_guard hold(adding_);
    Entry* first = bucket.load(std::memory_order_acquire);
    if (const std::uint32_t known = find(first, code); known != 0) return known;
    const detail::Code bytes = travelling_ != nullptr ? travelling_(code) : code;
    const std::uint32_t number = engine.define(std::as_bytes(std::span(&bytes, 1)));
    if (number == 0) throw std::bad_alloc();
    bucket.store(&entries_.emplace_back(Entry{code, number, first}), std::memory_order_release);
    return number;
}

}  // namespace hardwork::face
