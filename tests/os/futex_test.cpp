#include "os/futex.hpp"

#include <pthread.h>

#include <new>
#include <thread>
#include <vector>

#include "os/memory.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::in_ms;
using testing::kMs;
using Word = Atomic<std::uint32_t>;

// A page with a word at its start. A forked child does not inherit the mapping: it makes its own.
struct SharedWord {
    SharedWord() {
        auto memory = create_memory("test", page_size());
        if (memory) fd = memory.take();
        auto mapped = Mapping::map(fd.get(), 0, page_size(), Access::read_write);
        if (mapped) mapping = mapped.take();
        word = new (mapping.data()) Word(0);
    }
    Word& map_in_child() {
        auto mapped = Mapping::map(fd.get(), 0, page_size(), Access::read_write);
        if (!mapped) _exit(99);
        mapping = mapped.take();
        return *reinterpret_cast<Word*>(mapping.data());
    }
    Fd fd;
    Mapping mapping;
    Word* word;
};

// Whoever waits sees a change within the deadline, or the test fails.
bool wait_for_change(const Word& word, std::uint32_t old, std::uint64_t deadline) {
    while (word.load() == old) {
        if (futex_wait(word, old, deadline) == Wake::timeout) return false;
    }
    return true;
}

TEST(Futex, AChangedValueDoesNotSleep) {
    const Word word(1);
    EXPECT_EQ(futex_wait(word, 0, kNoDeadline), Wake::woken);
}

TEST(Futex, ATimeoutIsNeverEarly) {
    const Word word(0);
    for (const std::uint64_t ns : {1'000ULL, 300'000ULL, 20'000'000ULL}) {
        const std::uint64_t deadline = now_ns() + ns;
        Wake wake;
        do {
            wake = futex_wait(word, 0, deadline);
        } while (wake != Wake::timeout);
        EXPECT_GE(now_ns(), deadline);
    }
}

TEST(Futex, APastDeadlineIsATimeout) {
    const Word word(0);
    EXPECT_EQ(futex_wait(word, 0, 0), Wake::timeout);
    EXPECT_EQ(futex_wait(word, 0, now_ns() - 1), Wake::timeout);
}

TEST(Futex, WakesASleepingThread) {
    Word word(0);
    Atomic<bool> seen{false};
    std::thread sleeper([&] { seen = wait_for_change(word, 0, now_ns() + testing::kLongNs); });
    usleep(5'000);
    word.store(1);
    futex_wake(word, 1);
    sleeper.join();
    EXPECT_TRUE(seen);
}

TEST(Futex, WakeCountsSleepers) {
    Word word(0);
    EXPECT_EQ(futex_wake(word, 100), 0);
    std::vector<std::thread> sleepers;
    for (int i = 0; i < 3; ++i)
        sleepers.emplace_back([&] { futex_wait(word, 0, now_ns() + testing::kLongNs); });
    int woken = 0;
    EXPECT_TRUE(testing::eventually([&] {
        const int now = futex_wake(word, 1);
        EXPECT_LE(now, 1);
        woken += now;
        return woken == 3;
    }));
    for (auto& sleeper : sleepers)
        sleeper.join();
}

TEST(Futex, WakesAcrossAFork) {
    SharedWord shared;
    Word& word = *shared.word;
    testing::Child child([&] {
        Word& same = shared.map_in_child();
        if (!wait_for_change(same, 0, now_ns() + testing::kLongNs)) return 1;
        same.store(2);
        futex_wake(same, 1);
        return 0;
    });
    usleep(5'000);
    word.store(1);
    futex_wake(word, 1);
    EXPECT_TRUE(wait_for_change(word, 1, now_ns() + testing::kLongNs));
    EXPECT_EQ(word.load(), 2U);
    EXPECT_EQ(child.wait(), 0);
}

TEST(Futex, TheSameWordAtTwoAddressesIsOneWord) {
    SharedWord shared;
    auto second = Mapping::map(shared.fd.get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(second);
    Word& other = *reinterpret_cast<Word*>(second.value().data());
    ASSERT_NE(&other, shared.word);
    std::thread sleeper([&] { futex_wait(*shared.word, 0, now_ns() + testing::kLongNs); });
    EXPECT_TRUE(testing::eventually([&] { return futex_wake(other, 1) == 1; }));
    sleeper.join();
}

// A lane's words are read through a mapping that a reader cannot write.
TEST(Futex, AReadOnlyMappingCanBeWaitedOn) {
    SharedWord shared;
    auto view = Mapping::map(shared.fd.get(), 0, page_size(), Access::read_only);
    ASSERT_TRUE(view);
    const Word& word = *reinterpret_cast<const Word*>(view.value().data());
    std::thread sleeper([&] { futex_wait(word, 0, now_ns() + testing::kLongNs); });
    EXPECT_TRUE(testing::eventually([&] { return futex_wake(*shared.word, 1) == 1; }));
    sleeper.join();
}

// Interrupts a thread until it has come back from its wait.
template <class Wait>
Wake interrupted(Wait wait) {
    const testing::Interrupting usr1(SIGUSR1);
    Atomic<int> state{0};
    Wake wake = Wake::timeout;
    std::thread sleeper([&] {
        state.store(1);
        wake = wait();
        state.store(2);
    });
    testing::eventually([&] {
        if (state.load() == 1) pthread_kill(sleeper.native_handle(), SIGUSR1);
        return state.load() == 2;
    });
    sleeper.join();
    return wake;
}

TEST(Futex, ASignalInterrupts) {
    const Word word(0);
    EXPECT_EQ(interrupted([&] { return futex_wait(word, 0, kNoDeadline); }), Wake::interrupted);
    EXPECT_EQ(interrupted([&] { return futex_wait(word, 0, now_ns() + testing::kLongNs); }), Wake::interrupted);
}

// Both ways of waiting for several words: the system call, and what stands in for it.
class FutexAny : public ::testing::TestWithParam<bool> {
  protected:
    void SetUp() override { futex_set_waitv_enabled(GetParam()); }
    void TearDown() override { futex_set_waitv_enabled(true); }
};

INSTANTIATE_TEST_SUITE_P(Ways, FutexAny, ::testing::Values(true, false),
                         [](const auto& way) { return way.param ? "Waitv" : "Fallback"; });

// Waits as a caller does: looks again after each wake. The index of the word that changed, -1 at the deadline.
int wait_until_any(std::span<const FutexWait> words, std::uint64_t deadline) {
    for (;;) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (words[i].word->load() != words[i].expected) return static_cast<int>(i);
        }
        if (futex_wait_any(words, deadline) == Wake::timeout) return -1;
    }
}

TEST_P(FutexAny, AChangedWordDoesNotSleep) {
    const Word first(0);
    const Word second(7);
    const FutexWait at_first[] = {{&first, 5}, {&second, 7}};
    EXPECT_EQ(futex_wait_any(at_first, kNoDeadline), Wake::woken);
    const FutexWait at_second[] = {{&first, 0}, {&second, 6}};
    EXPECT_EQ(futex_wait_any(at_second, kNoDeadline), Wake::woken);
}

TEST_P(FutexAny, EachWordWakes) {
    for (std::size_t which = 0; which < 3; ++which) {
        Word words[3] = {};
        const FutexWait waits[] = {{&words[0], 0}, {&words[1], 0}, {&words[2], 0}};
        Atomic<int> found{-2};
        std::thread sleeper([&] { found = wait_until_any(waits, now_ns() + testing::kLongNs); });
        usleep(3'000);
        words[which].store(1);
        futex_wake(words[which], 1);
        sleeper.join();
        EXPECT_EQ(found.load(), static_cast<int>(which));
    }
}

TEST_P(FutexAny, TheSecondWordWakesAcrossAFork) {
    SharedWord shared;
    const Word own(0);
    const FutexWait waits[] = {{&own, 0}, {shared.word, 0}};
    testing::Child child([&] {
        Word& same = shared.map_in_child();
        usleep(5'000);
        same.store(1);
        futex_wake(same, 1);
        return 0;
    });
    EXPECT_EQ(wait_until_any(waits, now_ns() + testing::kLongNs), 1);
    EXPECT_EQ(child.wait(), 0);
}

TEST_P(FutexAny, ATimeoutIsNeverEarly) {
    const Word first(0);
    const Word second(0);
    const FutexWait waits[] = {{&first, 0}, {&second, 0}};
    for (const std::uint64_t ns : {1'000ULL, 100'000ULL, 20'000'000ULL}) {
        const std::uint64_t deadline = now_ns() + ns;
        EXPECT_EQ(wait_until_any(waits, deadline), -1);
        EXPECT_GE(now_ns(), deadline);
    }
    EXPECT_EQ(futex_wait_any(waits, 0), Wake::timeout);
}

TEST_P(FutexAny, OneWordIsAPlainWait) {
    Word word(0);
    const FutexWait one[] = {{&word, 0}};
    const std::uint64_t deadline = in_ms(5);
    EXPECT_EQ(wait_until_any(one, deadline), -1);
    EXPECT_GE(now_ns(), deadline);
    Atomic<int> found{-2};
    std::thread sleeper([&] { found = wait_until_any(one, now_ns() + testing::kLongNs); });
    word.store(1);
    futex_wake(word, 1);
    sleeper.join();
    EXPECT_EQ(found.load(), 0);
}

TEST_P(FutexAny, MoreWordsThanTheKernelTakes) {
    for (const std::size_t count : {std::size_t{128}, std::size_t{129}, std::size_t{400}}) {
        std::vector<Word> words(count);
        std::vector<FutexWait> waits;
        for (const Word& word : words)
            waits.push_back({&word, 0});
        Atomic<int> found{-2};
        std::thread sleeper([&] { found = wait_until_any(waits, now_ns() + testing::kLongNs); });
        usleep(2'000);
        words.back().store(1);
        futex_wake(words.back(), 1);
        sleeper.join();
        EXPECT_EQ(found.load(), static_cast<int>(count) - 1);
        EXPECT_EQ(wait_until_any(std::span(waits).first(count - 1), in_ms(2)), -1);
    }
}

TEST(FutexAnyInKernel, ASignalInterrupts) {
    const Word first(0);
    const Word second(0);
    const FutexWait waits[] = {{&first, 0}, {&second, 0}};
    // With the fallback the word is looked at every 200 us, which a signal may or may not meet.
    const Wake probe = futex_wait_any(waits, in_ms(5));
    if (probe != Wake::timeout) GTEST_SKIP() << "no futex_waitv here";
    EXPECT_EQ(interrupted([&] { return futex_wait_any(waits, kNoDeadline); }), Wake::interrupted);
}

TEST(FutexAnyFallback, ReturnsByItselfSoThatTheCallerLooksAgain) {
    futex_set_waitv_enabled(false);
    const Word first(0);
    const Word second(0);
    const FutexWait waits[] = {{&first, 0}, {&second, 0}};
    EXPECT_EQ(futex_wait_any(waits, kNoDeadline), Wake::woken);
    futex_set_waitv_enabled(true);
}

}  // namespace
}  // namespace hardwork::os
