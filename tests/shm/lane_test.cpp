#include "shm/lane.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <set>
#include <utility>

#include "os/futex.hpp"

namespace hardwork::shm {
namespace {

constexpr LaneInfo kInfo{0, 0, 7, 0x1234, 100, 20'000, 0, 0, 3'000, 0};

struct Made {
    Made() {
        auto made = Lane::create(kInfo, memory);
        EXPECT_TRUE(made) << made.error().what;
        if (made) lane = made.take();
    }
    os::Fd memory;
    Lane lane;
};

// The exit code of a forked child that runs `body`.
int in_child(const std::function<int()>& body) {
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        _exit(body());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Lane, BeginsEmptyAndSaysWhatItWasGiven) {
    const Made made;
    const Control& control = made.lane.control();
    EXPECT_EQ(control.info.lane, 7U);
    EXPECT_EQ(control.info.generation, 0x1234U);
    EXPECT_EQ(control.info.max_tasks, 100U);
    EXPECT_EQ(control.info.spin_ns, 20'000U);
    EXPECT_EQ(control.info.ticks_per_1024ns, 3'000U);
    EXPECT_EQ(control.parent.request_tail.load(), 0U);
    EXPECT_EQ(control.parent.result_head.load(), 0U);
    EXPECT_EQ(control.worker.request_head.load(), 0U);
    EXPECT_EQ(control.worker.result_tail.load(), 0U);
    EXPECT_EQ(control.worker.phase.load(), static_cast<std::uint32_t>(Phase::spawn));
    EXPECT_EQ(control.parent.cpu.load(), -1) << "CPU 0 would look like a parent that spins there";
    EXPECT_EQ(control.bells.cpu.load(), -1);
}

TEST(Lane, LinesOfDifferentWritersShareNoCacheLine) {
    const Made made;
    const Control& control = made.lane.control();
    std::set<std::uintptr_t> lines;
    for (const void* part : {static_cast<const void*>(&control.info), static_cast<const void*>(&control.parent),
                             static_cast<const void*>(&control.worker), static_cast<const void*>(&control.bells)}) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(part) % kCacheLine, 0U);
        EXPECT_TRUE(lines.insert(reinterpret_cast<std::uintptr_t>(part) / kCacheLine).second);
    }
    EXPECT_LE(sizeof(ParentLine), kCacheLine);
    EXPECT_LE(sizeof(WorkerLine), kCacheLine);
    EXPECT_LE(sizeof(BellLine), kCacheLine);
}

TEST(Lane, RequestPositionsWrap) {
    const Made made;
    EXPECT_EQ(&made.lane.request(0), &made.lane.request(kRequestSlots));
    EXPECT_EQ(&made.lane.request(0xffffffff), &made.lane.request(kRequestSlots - 1));
    EXPECT_EQ(&made.lane.request(0xffffffff) + 1, &made.lane.request(0) + kRequestSlots);
}

TEST(Lane, ARecordThatWrapsIsContiguous) {
    const Made made;
    const std::uint64_t at = 5 * kResultRingSize - 3;
    std::memcpy(made.lane.result(at), "wrapped", 7);
    EXPECT_EQ(std::memcmp(made.lane.result(at), "wrapped", 7), 0);
    EXPECT_EQ(std::memcmp(made.lane.result(5 * kResultRingSize), "pped", 4), 0);
    EXPECT_EQ(made.lane.result(0), made.lane.result(kResultRingSize));
}

TEST(Lane, PartsDoNotOverlap) {
    const Made made;
    std::memset(made.lane.result(0), 0xff, kResultRingSize);
    for (std::uint32_t i = 0; i < kRequestSlots; ++i) {
        ASSERT_EQ(made.lane.request(i).claim.load(), 0U);
        made.lane.request(i).claim.store(~std::uint64_t{0});
        made.lane.request(i).extent = {~std::uint64_t{0}, ~std::uint64_t{0}};
    }
    EXPECT_EQ(made.lane.control().info.lane, 7U);
    EXPECT_EQ(made.lane.control().bells.collector_bell.load(), 0U);
    struct stat info {};
    ASSERT_EQ(fstat(made.memory.get(), &info), 0);
    EXPECT_GE(static_cast<std::uint64_t>(info.st_size), Lane::result_arena_offset() + kResultArenaSize);
    EXPECT_LT(info.st_blocks, 4096) << "not sparse";
}

TEST(Lane, AnAttachedWorkerSharesEverything) {
    Made made;
    Control& control = made.lane.control();
    Request& request = made.lane.request(3);
    request.task = 42;
    request.kind = RequestKind::task;
    control.parent.request_tail.store(4, std::memory_order_release);
    const int code = in_child([&] {
        auto attached = Lane::attach(made.memory.get());
        if (!attached) return 1;
        const Lane& lane = attached.value();
        if (lane.control().info.generation != 0x1234 || lane.control().parent.request_tail.load() != 4) return 2;
        Request& same = lane.request(3);
        if (same.task != 42 || !claim_task(same.claim, kClaimed)) return 3;
        std::memcpy(lane.result(kResultRingSize - 2), "abcd", 4);
        lane.control().worker.result_tail.store(kResultRingSize + 2, std::memory_order_release);
        lane.control().bells.caller_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(lane.control().bells.caller_bell, 1);
        return 0;
    });
    EXPECT_EQ(code, 0);
    EXPECT_EQ(control.worker.result_tail.load(), kResultRingSize + 2);
    EXPECT_EQ(std::memcmp(made.lane.result(kResultRingSize - 2), "abcd", 4), 0);
    EXPECT_FALSE(claim_task(request.claim, kTaken)) << "the worker has it";
    EXPECT_EQ(control.bells.caller_bell.load(), 1U);
}

TEST(Lane, BothMarksOfItsEndAreMade) {
    const Made made;
    const int fd = made.memory.get();
    LifeLine& life = made.lane.control().life;
    const auto ended = [&life] {
        return std::pair(os::LifeMark::ended(life.collector_mark.word().load()),
                         os::LifeMark::ended(life.caller_mark.word().load()));
    };
    const auto live = [fd](bool in_order) {
        auto lane = Lane::attach(fd);
        if (!lane) return 1;
        lane.value().control().life.hold();
        if (!in_order) _exit(3);  // while it is mapped
        lane.value().control().life.let_go();
        return 3;
    };
    EXPECT_EQ(in_child([&] { return live(true); }), 3);
    EXPECT_EQ(ended(), std::pair(false, false));
    EXPECT_EQ(in_child([&] { return live(false); }), 3);
    EXPECT_EQ(ended(), std::pair(true, true));
}

TEST(Lane, AWorkerCannotShrinkIt) {
    const Made made;
    EXPECT_EQ(in_child([&] { return ftruncate(made.memory.get(), 0) == 0 ? 1 : 0; }), 0);
    EXPECT_EQ(made.lane.control().info.lane, 7U);
}

TEST(LaneAttach, RefusesForeignMemory) {
    auto foreign = os::create_memory("test", std::uint64_t{1} << 30);
    ASSERT_TRUE(foreign);
    const auto attached = Lane::attach(foreign.value().get());
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code, Errc::invalid_argument);
}

TEST(LaneAttach, RefusesAnotherVersion) {
    const Made made;
    EXPECT_TRUE(Lane::attach(made.memory.get()));
    ++made.lane.control().info.version;
    EXPECT_FALSE(Lane::attach(made.memory.get()));
    --made.lane.control().info.version;
    made.lane.control().info.magic ^= 1;
    EXPECT_FALSE(Lane::attach(made.memory.get()));
}

TEST(LaneAttach, RefusesWhatIsNoMemory) {
    EXPECT_FALSE(Lane::attach(-1));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto attached = Lane::attach(ends[0]);
    ASSERT_FALSE(attached);
    EXPECT_EQ(attached.error().code, Errc::system);
    close(ends[0]);
    close(ends[1]);
}

}  // namespace
}  // namespace hardwork::shm
