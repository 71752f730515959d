// S1 to S9: values that do not travel, or hardly. M1 to M3: a worker that writes where it should not.
#include <sys/stat.h>

#include <cstring>
#include <random>
#include <variant>

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
struct CannotBeMoved {
    CannotBeMoved() = default;
    CannotBeMoved(const CannotBeMoved&) { throw 1; }
    CannotBeMoved& operator=(const CannotBeMoved&) = default;
};
auto hardwork_fields(CannotBeMoved&) { return std::tie(); }
// A variant that has lost its value.
std::variant<int, CannotBeMoved> give_none(int x) {
    std::variant<int, CannotBeMoved> value = x;
    try {
        value.emplace<CannotBeMoved>(CannotBeMoved());
        value.emplace<CannotBeMoved>(std::as_const(std::get<CannotBeMoved>(value)));
    } catch (int) {
    }
    return value;
}
std::string bytes_of(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i % 251);
    return text;
}
std::size_t first_and_last(const std::vector<char>& data) {
    return data.size() + (data.front() == 1 && data.back() == 2 ? 0 : 1);
}

// Of the machine, and of the control group if that has less.
std::uint64_t available_memory() {
    std::ifstream file("/proc/meminfo");
    std::uint64_t available = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("MemAvailable:")) available = std::stoull(line.substr(13)) * 1024;
    }
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        std::uint64_t most = 0;
        if (std::ifstream(path) >> most) available = std::min(available, most);
    }
    return available;
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
int count_lanes(int) {
    std::set<ino_t> lanes;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        struct stat what {};
        if (lane_link(entry.path().filename()).find("hardwork-lane") == std::string::npos) continue;
        if (stat(entry.path().c_str(), &what) == 0) lanes.insert(what.st_ino);
    }
    return static_cast<int>(lanes.size());
}
int count_writable_inputs(int) {
    int count = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("hardwork-input") != std::string::npos && line.find(" rw") != std::string::npos) ++count;
    }
    return count;
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
using M1 = FaultTest;
using M2 = FaultTest;
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

// The same; an EncodeError comes as itself.
TEST_F(S4, EncodingAResultThrows) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_EQ(caught<RemoteError>([&] { pool().submit(give_encoded, 1).get(); }).type_name(), "std::invalid_argument");
    EXPECT_THROW(pool().submit(give_none, 1).get(), EncodeError);
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

// The same of more than 2 GiB, there and back.
TEST_F(S8, MoreThanTwoGigabytes) {
    constexpr std::size_t kSize = (std::size_t{2} << 30) + 5;
    if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer's own memory is too much for it";
    if (available_memory() < 16'000'000'000) GTEST_SKIP() << "it needs 16 GB of free memory";
    make({.workers = 1});
    std::vector<char> data(kSize);
    data.front() = 1;
    data.back() = 2;
    auto future = pool().submit([](std::vector<char> bytes) { return bytes; }, data);
    data = {};
    const std::vector<char> back = future.get();
    EXPECT_EQ(first_and_last(back), kSize);
}

// Every result in its place.
TEST_F(S9, ManyTinyTasks) {
    make();
    int next = 0;
    for (const int x : pool().map(twice, range(0, 1'000'000)))
        ASSERT_EQ(x, 2 * next++);
    EXPECT_EQ(next, 1'000'000);
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

// It has one lane, its own; inputs it can only read.
TEST_F(M2, ReachesNoOtherWorkersMemory) {
    make({.workers = 3});
    const std::string data(1'000'000, 'x');
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(pool().submit([](const std::string& text) { return text.size(); }, data).get(), data.size());
        EXPECT_EQ(pool().submit(count_lanes, 0).get(), 1);
        EXPECT_EQ(pool().submit(count_writable_inputs, 0).get(), 0);
    }
    innocents(10);
}

// EPERM: the memory is sealed.
TEST_F(M3, TruncatesItsMemory) {
    make();
    EXPECT_GE(pool().submit(truncate_lanes, 0).get(), 1);
    innocents(10);
}

}  // namespace
}  // namespace hardwork::test
