// Large results that are not copied.
#include <atomic>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>

#include "face_fixture.hpp"

namespace hardwork {
namespace {

using namespace std::chrono_literals;
using test::caught;

constexpr std::size_t kLarge = 3 << 20;
constexpr std::size_t kWindowed = 9 << 20;  // more than the engine's windows

Buffer pattern(std::size_t size, unsigned seed) {
    Buffer buffer(size);
    for (std::size_t i = 0; i < size; ++i)
        buffer.data()[i] = static_cast<std::byte>(i * 31 + (i >> 12) + seed);
    return buffer;
}

bool equal(const Buffer& a, const Buffer& b) {
    return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

std::uintptr_t address_of(const Buffer& buffer) { return reinterpret_cast<std::uintptr_t>(buffer.data()); }

// Says in its first bytes where it lies in the worker.
Buffer addressed(std::size_t size) {
    Buffer buffer(size);
    buffer.as<std::uintptr_t>()[0] = address_of(buffer);
    return buffer;
}

std::byte* remembered = nullptr;
Buffer remember(std::size_t size) {
    Buffer buffer = pattern(size, 0);
    remembered = buffer.data();
    return buffer;
}
int write_where_remembered(int value) {
    *remembered = static_cast<std::byte>(value);
    return value;
}

const Buffer& standing(unsigned seed) {
    static const Buffer buffer = pattern(kLarge, seed);
    return buffer;
}

struct Picture {
    int width = 0;
    Buffer pixels;
};
auto hardwork_fields(Picture& picture) { return std::tie(picture.width, picture.pixels); }

TEST(Buffer, InTheProgramItIsMemory) {
    Buffer none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.data(), nullptr);
    Buffer buffer = pattern(1000, 3);
    EXPECT_EQ(buffer.size(), 1000U);
    EXPECT_EQ(address_of(buffer) % Buffer::alignment, 0U);
    EXPECT_EQ(buffer.as<int>().size(), 250U);
    using Part = std::array<char, 300>;
    EXPECT_EQ(buffer.as<Part>().size(), 3U) << "whole ones";
    const std::byte* where = buffer.data();
    Buffer moved = std::move(buffer);
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(moved.data(), where);
    none = std::move(moved);
    EXPECT_TRUE(equal(none, pattern(1000, 3)));
    none = Buffer();
    EXPECT_TRUE(none.empty());
    EXPECT_TRUE(Buffer::copy_of({}).empty());
}

TEST(Buffer, AreResultsOfAllSizes) {
    ProcessPool pool({.workers = 2});
    unsigned seed = 0;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{24}, std::size_t{25}, std::size_t{32768},
                                   std::size_t{32769}, std::size_t{4} << 20, (std::size_t{4} << 20) + 1, kWindowed}) {
        const Buffer buffer = pool.submit(pattern, size, ++seed).get();
        EXPECT_EQ(buffer.size(), size);
        EXPECT_TRUE(equal(buffer, pattern(size, seed))) << size;
        EXPECT_EQ(address_of(buffer) % Buffer::alignment, 0U);
    }
}

TEST(Buffer, TheProgramsIsTheWorkersMemory) {
    for (const std::size_t size : {kLarge, kWindowed}) {
        ProcessPool pool({.workers = 1});
        const Buffer buffer = pool.submit(remember, size).get();
        EXPECT_TRUE(equal(buffer, pattern(size, 0)));
        pool.submit(write_where_remembered, 77).get();
        EXPECT_EQ(buffer.data()[0], std::byte{77});
    }
}

TEST(Buffer, CanBeWrittenByTheProgram) {
    ProcessPool pool({.workers = 1});
    Buffer buffer = pool.submit(pattern, kLarge, 1U).get();
    std::ranges::fill(buffer.bytes(), std::byte{5});
    EXPECT_EQ(std::accumulate(buffer.as<unsigned char>().begin(), buffer.as<unsigned char>().end(), std::uint64_t{0}),
              5 * kLarge);
}

TEST(Buffer, OutlivesItsWorkerAndItsPool) {
    Buffer of_dead;
    Buffer of_gone;
    Future<Buffer> unread;
    {
        ProcessPool pool({.workers = 1});
        of_dead = pool.submit(pattern, kLarge, 1U).get();
        EXPECT_EQ(caught<WorkerDied>([&] { pool.submit(test::die_by, SIGKILL).get(); }).signal(), SIGKILL);
        of_gone = pool.submit(pattern, kWindowed, 2U).get();
        unread = pool.submit(pattern, kLarge, 3U);
    }
    EXPECT_TRUE(equal(of_dead, pattern(kLarge, 1)));
    EXPECT_TRUE(equal(of_gone, pattern(kWindowed, 2)));
    EXPECT_TRUE(equal(unread.get(), pattern(kLarge, 3)));
}

TEST(Buffer, ManyInFlight) {
    ProcessPool pool({.workers = 2});
    constexpr unsigned kMany = 64;
    std::vector<Future<Buffer>> futures;
    for (unsigned i = 0; i < kMany; ++i)
        futures.push_back(pool.submit(pattern, 40'000 + i * 5'000, i));
    std::vector<Buffer> buffers;
    for (auto& future : futures)
        buffers.push_back(future.get());
    for (unsigned i = 0; i < kMany; ++i)
        EXPECT_TRUE(equal(buffers[i], pattern(40'000 + i * 5'000, i))) << i;
}

TEST(Buffer, ItsEndGivesTheMemoryBack) {
    for (const std::size_t size : {kLarge, kWindowed}) {
        ProcessPool pool({.workers = 1});
        std::set<std::uintptr_t> addresses;
        for (int i = 0; i < 50; ++i)
            addresses.insert(pool.submit(addressed, size).get().as<std::uintptr_t>()[0]);
        // The worker hears of an end with a later task.
        EXPECT_LE(addresses.size(), 4U);
    }
}

TEST(Buffer, OfTwoOneIsReturned) {
    ProcessPool pool({.workers = 1});
    const auto make_two = [](unsigned seed) {
        Buffer first = pattern(kLarge, seed);
        Buffer second = pattern(kLarge, seed + 1);
        return seed % 2 == 0 ? std::move(first) : std::move(second);
    };
    for (unsigned seed = 0; seed < 6; ++seed)
        EXPECT_TRUE(equal(pool.submit(make_two, seed).get(), pattern(kLarge, seed + seed % 2)));
    std::set<std::uintptr_t> addresses;
    for (int i = 0; i < 50; ++i) {
        addresses.insert(pool.submit([] {
                                 const Buffer dropped(kLarge);
                                 return address_of(dropped);
                             })
                             .get());
    }
    EXPECT_LE(addresses.size(), 4U);
}

TEST(Buffer, OfATaskThatThrowsIsGivenBack) {
    ProcessPool pool({.workers = 1});
    std::set<std::string> told;
    for (int i = 0; i < 20; ++i) {
        auto failing = pool.submit([]() -> Buffer {
            const Buffer dropped(kLarge);
            throw std::runtime_error(std::to_string(address_of(dropped)));
        });
        told.insert(caught<RemoteError>([&] { failing.get(); }).message());
    }
    EXPECT_EQ(told.size(), 1U);
}

TEST(Buffer, OneThatIsReturnedByReferenceStays) {
    ProcessPool pool({.workers = 1});
    const Buffer first = pool.submit(standing, 9U).get();
    const Buffer second = pool.submit(standing, 9U).get();
    EXPECT_TRUE(equal(first, pattern(kLarge, 9)));
    EXPECT_TRUE(equal(second, pattern(kLarge, 9)));
}

TEST(Buffer, AsAPartOfAValueItIsCopied) {
    ProcessPool pool({.workers = 1});
    const auto [number, buffer] =
        pool.submit([](unsigned seed) { return std::tuple(seed, pattern(kLarge, seed)); }, 4U).get();
    EXPECT_EQ(number, 4U);
    EXPECT_TRUE(equal(buffer, pattern(kLarge, 4)));
    const Picture picture = pool.submit([](int width) { return Picture{width, pattern(kLarge, 5)}; }, 640).get();
    EXPECT_EQ(picture.width, 640);
    EXPECT_TRUE(equal(picture.pixels, pattern(kLarge, 5)));
    const auto maybe = pool.submit([] { return std::optional<Buffer>(pattern(10, 6)); }).get();
    EXPECT_TRUE(equal(*maybe, pattern(10, 6)));
    const auto many = pool.submit([] {
                              std::vector<Buffer> all;
                              for (unsigned i = 0; i < 3; ++i)
                                  all.push_back(pattern(50'000, i));
                              return all;
                          })
                          .get();
    ASSERT_EQ(many.size(), 3U);
    EXPECT_TRUE(equal(many[2], pattern(50'000, 2)));
}

TEST(Buffer, AsAnArgument) {
    ProcessPool pool({.workers = 1});
    const auto sum = [](const Buffer& buffer) {
        const auto bytes = buffer.as<unsigned char>();
        return std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
    };
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, kLarge}) {
        const Buffer buffer = pattern(size, 7);
        EXPECT_EQ(pool.submit(sum, buffer).get(), sum(buffer));
    }
    const auto inverted = [](Buffer buffer) {
        for (std::byte& byte : buffer.bytes())
            byte = ~byte;
        return buffer;
    };
    const Buffer back = pool.submit(inverted, pattern(kLarge, 8)).get();
    EXPECT_TRUE(equal(inverted(pattern(kLarge, 8)), back));
    // One that came from a worker goes to another.
    EXPECT_TRUE(equal(pool.submit(inverted, back).get(), pattern(kLarge, 8)));
}

TEST(Buffer, AreResultsOfAMap) {
    std::vector<Buffer> kept;
    std::vector<Buffer> items;
    {
        ProcessPool pool({.workers = 2});
        for (Buffer& buffer :
             pool.map([](unsigned seed) { return pattern(20'000 + seed * 1'000, seed); }, range(0U, 40U)))
            kept.push_back(std::move(buffer));
        for (unsigned i = 0; i < 5; ++i)
            items.push_back(pattern(100'000, i));
        std::size_t read = 0;
        for (const Buffer& buffer : pool.map([](const Buffer& item) { return Buffer::copy_of(item.bytes()); }, items))
            EXPECT_TRUE(equal(buffer, items[read++]));
        EXPECT_EQ(read, items.size());
        auto unread = pool.map([](unsigned seed) { return pattern(kLarge, seed); }, range(0U, 10U));
        EXPECT_TRUE(equal(*unread.begin(), pattern(kLarge, 0)));
    }
    ASSERT_EQ(kept.size(), 40U);
    for (unsigned i = 0; i < 40; ++i)
        EXPECT_TRUE(equal(kept[i], pattern(20'000 + i * 1'000, i))) << i;
}

TEST(Buffer, GoesThroughThenAndTryGet) {
    ProcessPool pool({.workers = 1});
    auto size = pool.submit(pattern, kLarge, 1U).then([](const Buffer& buffer) { return buffer.size(); });
    EXPECT_EQ(size.get(), kLarge);
    auto same = pool.submit(pattern, kLarge, 2U).then([](Buffer buffer) { return buffer; });
    EXPECT_TRUE(equal(same.get(), pattern(kLarge, 2)));
    Result<Buffer> result = pool.submit(pattern, kLarge, 3U).try_get();
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(equal(*result, pattern(kLarge, 3)));
}

TEST(Buffer, CanBeMadeByAnyThreadOfATask) {
    ProcessPool pool({.workers = 1});
    const auto by_threads = [](unsigned seed) {
        std::vector<Buffer> made(4);
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < 4; ++i) {
            threads.emplace_back([&made, i, seed] {
                for (int again = 0; again < 20; ++again)
                    made[i] = pattern(40'000, seed + i);
            });
        }
        for (auto& thread : threads)
            thread.join();
        return std::move(made[3]);
    };
    for (unsigned seed = 0; seed < 3; ++seed)
        EXPECT_TRUE(equal(pool.submit(by_threads, seed).get(), pattern(40'000, seed + 3)));
}

TEST(Buffer, OfAWorkerIsNotTouchedByItsForks) {
    ProcessPool pool({.workers = 1});
    const auto forking = [](unsigned seed) {
        Buffer buffer = pattern(kLarge, seed);
        const pid_t child = fork();
        if (child == 0) {
            buffer = Buffer();                  // gives nothing back
            Buffer own = pattern(kLarge, 200);  // memory of its own
            _exit(equal(own, pattern(kLarge, 200)) ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        return status == 0 ? std::move(buffer) : Buffer();
    };
    for (unsigned seed = 0; seed < 3; ++seed)
        EXPECT_TRUE(equal(pool.submit(forking, seed).get(), pattern(kLarge, seed)));
}

TEST(Buffer, OfTheProgramIsNotThereInItsForks) {
    ProcessPool pool({.workers = 1});
    Buffer buffer = pool.submit(pattern, kLarge, 1U).get();
    auto done = pool.submit(pattern, kLarge, 2U);
    auto text = pool.submit([] { return std::string(kLarge, 'x'); });
    auto results = pool.map([](unsigned seed) { return pattern(kLarge, seed); }, range(3U, 4U));
    done.wait();
    text.wait();
    auto first = results.begin();
    const pid_t child = fork();
    if (child == 0) {
        int code = 0;
        try {
            caught<WrongProcess>([&] { done.get(); });
            caught<WrongProcess>([&] { text.get(); });
            caught<WrongProcess>([&] { *first; });
            buffer = Buffer();
        } catch (const std::logic_error&) {
            code = 1;
        }
        _exit(code);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_TRUE(equal(buffer, pattern(kLarge, 1)));
    EXPECT_TRUE(equal(done.get(), pattern(kLarge, 2)));
    EXPECT_TRUE(equal(*first, pattern(kLarge, 3)));
}

TEST(Buffer, OfOnePoolGoesThroughTheWorkerOfAnother) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "a worker has a thread, and TSan does not know that its forks have not";
#endif
    ProcessPool pool({.workers = 1});
    const auto nested = [](unsigned seed) {
        ProcessPool inner({.workers = 1});
        return inner.submit(pattern, kLarge, seed).get();
    };
    EXPECT_TRUE(equal(pool.submit(nested, 5U).get(), pattern(kLarge, 5)));
}

}  // namespace
}  // namespace hardwork
