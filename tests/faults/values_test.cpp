// S1 to S9: values that do not travel, or hardly. C1 to C6: calls from everywhere. M1 to M3: a worker that writes where it
// should not.
#include <dirent.h>

#include <atomic>
#include <cstring>
#include <random>

#include "faults/lab.hpp"

namespace hardwork::test {

struct ThrowsEncoded {
    int x = 0;
};
struct ThrowsDecoded {
    int x = 0;
};

}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::ThrowsEncoded> {
    static void encode(auto&, const hardwork::test::ThrowsEncoded&) { throw std::invalid_argument("at encoding"); }
    static hardwork::test::ThrowsEncoded decode(Decoder&) { return {}; }
};

template <>
struct hardwork::Codec<hardwork::test::ThrowsDecoded> {
    static void encode(auto& out, const hardwork::test::ThrowsDecoded& value) { hardwork::encode(out, value.x); }
    static hardwork::test::ThrowsDecoded decode(Decoder& in) {
        hardwork::decode<int>(in);
        throw std::invalid_argument("at decoding");
    }
};

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int take_encoded(const ThrowsEncoded&) { return 1; }
int take_decoded(const ThrowsDecoded&) { return 1; }
ThrowsEncoded give_encoded(int x) { return {x}; }
ThrowsDecoded give_decoded(int x) { return {x}; }
std::string bytes_of(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i % 251);
    return text;
}
std::size_t first_and_last(const std::vector<char>& data) {
    return data.size() + (data.front() == 1 && data.back() == 2 ? 0 : 1);
}

std::string lane_link(const std::string& fd) {
    char link[256];
    const ssize_t size = readlink(("/proc/self/fd/" + fd).c_str(), link, sizeof link);
    return size > 0 ? std::string(link, static_cast<std::size_t>(size)) : std::string();
}
int truncate_lanes(int) {
    int refused = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const std::string fd = entry.path().filename();
        if (lane_link(fd).find("hardwork-lane") == std::string::npos) continue;
        if (ftruncate(std::stoi(fd), 0) == 0) return -1;
        if (errno == EPERM) ++refused;
    }
    return refused;
}
// Changes bytes of its own lane at random, in the first pages: states, tails and descriptors.
int scribble(unsigned seed) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("hardwork-lane") == std::string::npos || line.find(" rw") == std::string::npos) continue;
        std::mt19937 dice(seed);
        auto* const begin = reinterpret_cast<char*>(std::stoull(line.substr(0, line.find('-')), nullptr, 16));
        for (int i = 0; i < 30; ++i)
            begin[dice() % 4096] = static_cast<char>(dice());
        return 1;
    }
    return 0;
}

using S2 = FaultTest;
using S3 = FaultTest;
using S4 = FaultTest;
using S5 = FaultTest;
using S6 = FaultTest;
using S7 = FaultTest;
using S8 = FaultTest;
using S9 = FaultTest;
using C2 = FaultTest;
using C3 = FaultTest;
using C4 = FaultTest;
using C5 = FaultTest;
using C6 = FaultTest;
using M1 = FaultTest;
using M3 = FaultTest;

// The exception is the caller's, at the call; what was submitted around it runs.
TEST_F(S2, EncodingAnArgumentThrows) {
    make();
    innocents(20);
    EXPECT_THROW(pool().submit(take_encoded, ThrowsEncoded{}), std::invalid_argument);
    innocents(20);
}

// That exception comes to its Future; the worker lives.
TEST_F(S3, DecodingAnArgumentThrows) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_THROW(pool().submit(take_decoded, ThrowsDecoded{1}).get(), RemoteError);
    innocents(10);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

// The same.
TEST_F(S4, EncodingAResultThrows) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_THROW(pool().submit(give_encoded, 1).get(), std::exception);
    innocents(10);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

// That Future only; thrown by get().
TEST_F(S5, DecodingAResultThrows) {
    make();
    innocents(10);
    EXPECT_THROW(pool().submit(give_decoded, 1).get(), std::invalid_argument);
    innocents(10);
}

// Type, text and causes come with it.
TEST_F(S6, ExceptionsWithCauses) {
    make();
    auto future = pool().submit(
        [](int x) {
            try {
                throw std::out_of_range("the cause");
            } catch (...) {
                std::throw_with_nested(std::runtime_error("the effect"));
            }
            return x;
        },
        1);
    const auto error = caught<RemoteError>([&] { future.get(); });
    EXPECT_NE(std::string(error.what()).find("the effect"), std::string::npos) << error.what();
    EXPECT_EQ(error.causes().size(), 1U);
    innocents(10);
}

// The right bytes.
TEST_F(S7, ResultsAroundTheRingsSizes) {
    make();
    constexpr std::size_t kRing = 32 * 1024;
    std::vector<std::size_t> sizes = {0, 1, 10 * kRing, 256 * 1024};
    for (std::size_t size = kRing - 20; size < kRing + 4; ++size)
        sizes.push_back(size);
    for (const std::size_t size : sizes)
        EXPECT_EQ(pool().submit(bytes_of, size).get(), bytes_of(size)) << size;
}

// Right, to the last byte.
TEST_F(S8, HundredsOfMegabytes) {
    make({.workers = 1});
    std::vector<char> data(300'000'005);
    data.front() = 1;
    data.back() = 2;
    EXPECT_EQ(pool().submit(first_and_last, data).get(), data.size());
}

// Every result in its place.
TEST_F(S9, ManyTinyTasks) {
    make();
    int next = 0;
    for (const int x : pool().map(twice, range(0, 1'000'000)))
        ASSERT_EQ(x, 2 * next++);
    EXPECT_EQ(next, 1'000'000);
}

// One throws, one submits, one ends the pool: nothing dies.
TEST_F(C2, CallbacksThatMisbehave) {
    make();
    std::atomic<int> said{0};
    std::atomic<int> value{0};
    auto first = pool().submit(twice, 1);
    first.on_done([&] {
        ++said;
        throw std::runtime_error("a callback");
    });
    auto second = pool().submit(twice, 2);
    second.on_done([&] {
        auto inner = pool().submit(twice, 20);
        value = inner.get();
        ++said;
    });
    EXPECT_TRUE(eventually([&] { return said.load() == 2; }));
    EXPECT_EQ(value.load(), 40);
    innocents(10);
}

// What was cancelled never runs.
TEST_F(C3, CancelledAtEveryMoment) {
    make();
    std::mt19937 dice(7);
    std::vector<Future<int>> futures;
    std::vector<bool> cancelled;
    const std::string path = path_ + ".ran";
    for (int i = 0; i < 20'000; ++i) {
        futures.push_back(pool().submit(note, path, i));
        cancelled.push_back(false);
        const std::size_t back = dice() % 30;
        if (dice() % 2 == 0 && back < futures.size()) {
            const std::size_t victim = futures.size() - 1 - back;
            if (!cancelled[victim] && futures[victim].cancel()) cancelled[victim] = true;
        }
    }
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (cancelled[i]) {
            EXPECT_THROW(futures[i].get(), Cancelled);
        } else {
            EXPECT_EQ(futures[i].get(), static_cast<int>(i));
        }
    }
    std::vector<int> ran = notes(path);
    std::sort(ran.begin(), ran.end());
    EXPECT_EQ(std::adjacent_find(ran.begin(), ran.end()), ran.end());
    for (const int i : ran)
        EXPECT_FALSE(cancelled[static_cast<std::size_t>(i)]) << i;
    std::filesystem::remove(path);
}

// It ends, and what was not cancelled has run once.
TEST_F(C4, ShutdownFromTwoThreadsDuringARespawn) {
    make();
    broken_ = true;
    std::vector<Future<int>> futures;
    for (int i = 0; i < 100; ++i)
        futures.push_back(pool().submit(note, path_, i));
    auto lost = pool().submit(die_by, SIGKILL);
    std::thread other([&] { pool().shutdown(); });
    pool().shutdown();
    other.join();
    EXPECT_THROW(lost.get(), WorkerDied);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
    EXPECT_EQ(notes(path_).size(), 100U);
}

// No deadlock, and every result to who asked.
TEST_F(C5, FromManyThreads) {
    make();
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 32; ++i) {
        threads.emplace_back([&, i] {
            for (int x = 1000 * i; x < 1000 * i + 50; ++x) {
                if (pool().submit(twice, x).get() != 2 * x) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(wrong.load(), 0);
}

// Its workers are gone when the pool goes out of scope with work pending; the Futures finish.
TEST_F(C6, DestroyedWithWorkPending) {
    std::vector<Future<int>> futures;
    {
        ProcessPool some({.workers = 2});
        for (int i = 0; i < 50; ++i)
            futures.push_back(some.submit(nap, 1));
    }
    for (auto& future : futures)
        EXPECT_EQ(future.get(), 1);
}

// At most that worker's tasks are lost; the others go on. (fuzz/lane.cpp tries far more.)
TEST_F(M1, HostileBytesInItsLane) {
    make();
    for (unsigned seed = 0; seed < 20; ++seed) {
        auto evil = pool().with({.timeout = 500ms, .grace = 20ms}).submit(scribble, seed);
        (void)evil.try_get();
        for (const auto pid : pool().pids())
            kill(pid, SIGKILL);
        EXPECT_TRUE(eventually([&] { return pool().with({.retries = 5}).submit(twice, 4).try_get().has_value(); }));
    }
    innocents(20);
}

// EPERM: the memory is sealed.
TEST_F(M3, TruncatesItsMemory) {
    make();
    EXPECT_GE(pool().submit(truncate_lanes, 0).get(), 1);
    innocents(10);
}

}  // namespace
}  // namespace hardwork::test
