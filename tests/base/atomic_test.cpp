#include "base/atomic.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>

namespace hardwork {
namespace {

// Store, fence, look: of two sides at least one must see the other. Both missing each other is a lost wake-up.
TEST(FullFence, TwoSidesCannotMissEachOther) {
    constexpr int kRounds = 10'000;
    Atomic<std::uint32_t> published{0};
    Atomic<std::uint32_t> sleeping{0};
    bool producer_missed = false;
    bool consumer_missed = false;
    int lost = 0;
    std::barrier meet(2);
    std::thread consumer([&] {
        for (int round = 0; round < kRounds; ++round) {
            meet.arrive_and_wait();
            sleeping.store(1, std::memory_order_relaxed);
            full_fence();
            consumer_missed = published.load(std::memory_order_relaxed) == 0;
            meet.arrive_and_wait();
        }
    });
    for (int round = 0; round < kRounds; ++round) {
        published.store(0, std::memory_order_relaxed);
        sleeping.store(0, std::memory_order_relaxed);
        meet.arrive_and_wait();
        published.store(1, std::memory_order_relaxed);
        full_fence();
        producer_missed = sleeping.load(std::memory_order_relaxed) == 0;
        meet.arrive_and_wait();
        if (producer_missed && consumer_missed) ++lost;
    }
    consumer.join();
    EXPECT_EQ(lost, 0);
}

TEST(Atomic, HasTheLayoutThatSharedMemoryNeeds) {
    EXPECT_EQ(sizeof(Atomic<std::uint32_t>), 4U);
    EXPECT_EQ(alignof(Atomic<std::uint32_t>), 4U);
    EXPECT_EQ(sizeof(Atomic<std::uint64_t>), 8U);
    EXPECT_TRUE(Atomic<std::uint32_t>::is_always_lock_free);
    cpu_relax();
}

}  // namespace
}  // namespace hardwork
