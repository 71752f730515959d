// The engine's numbers of functions, found without a lock: submit asks each time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>

#include "hardwork/detail/trampoline.hpp"
#include "hardwork/engine.hpp"

namespace hardwork::face {

class FunctionTable {
  public:
    // How code travels; may throw.
    using Travelling = detail::Code (*)(const detail::Code& code);
    // travelling: nullptr if as it is. Throws std::bad_alloc, and what that throws.
    explicit FunctionTable(Travelling travelling = nullptr) : travelling_(travelling) {}
    std::uint32_t number_of(const detail::Code& code, Engine& engine);

  private:
    struct Entry {
        detail::Code code;
        std::uint32_t number = 0;
        Entry* next = nullptr;
    };
    static constexpr std::size_t kBuckets = 64;

    static std::size_t bucket_of(const detail::Code& code);
    static std::uint32_t find(const Entry* entry, const detail::Code& code);

    const Travelling travelling_;
    std::array<std::atomic<Entry*>, kBuckets> buckets_{};
    std::mutex adding_;
    std::deque<Entry> entries_;  // grows, and never moves an entry
};

}  // namespace hardwork::face
