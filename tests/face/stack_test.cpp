// RemoteError::stack: where in the worker it was thrown.
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "face/face_fixture.hpp"
#include "os/stack.hpp"

namespace hardwork::test {
namespace {

// The throw, and the call of a function with decoded arguments, where nothing is inlined.
constexpr std::size_t kMostOfTheCall = 20;

[[gnu::noinline]] int throw_here(int x) {
    if (x >= 0) throw std::runtime_error("no " + std::to_string(x));
    return x;
}

[[gnu::noinline]] int throw_below(int depth) {
    const int got = depth == 0 ? throw_here(depth) : throw_below(depth - 1);
    asm volatile("" ::: "memory");  // no tail call
    return got + 1;
}

int catch_and_throw(int x) {
    try {
        throw_below(x);
    } catch (const std::runtime_error&) {
        std::throw_with_nested(std::logic_error("while working"));
    }
    return x;
}

int catch_it(int x) {
    try {
        return throw_below(x);
    } catch (const std::runtime_error&) {
        return -1;
    }
}

class ThrowStack : public testing::Test {
  protected:
    std::vector<std::string> stack_of(int (*function)(int), int x) {
        return caught<RemoteError>([&] { pool.submit(function, x).get(); }).stack();
    }
    ProcessPool pool{{.workers = 1}};
};

// "program+0x1a2b" or "function (program+0x1a2b)"
std::uint64_t address_in(const std::string& frame) {
    const auto at = frame.rfind("+0x");
    return at == std::string::npos ? 0 : std::strtoull(frame.c_str() + at + 3, nullptr, 16);
}

bool lies_in(const std::string& frame, int (*function)(int)) {
    const std::uint64_t begin = address_in(os::place_of(reinterpret_cast<char*>(function) + 1));
    const std::uint64_t address = address_in(frame);
    return address >= begin && address < begin + 4096;  // the functions are longer under sanitizers
}

TEST_F(ThrowStack, BeginsWithTheThrow) {
    const auto stack = stack_of(throw_below, 0);
    ASSERT_GE(stack.size(), 2U);
    EXPECT_TRUE(lies_in(stack[0], throw_here)) << stack[0];
    EXPECT_TRUE(lies_in(stack[1], throw_below)) << stack[1];
}

TEST_F(ThrowStack, EndsBeforeTheWorkersOwnFrames) {
    const auto shallow = stack_of(throw_below, 0);
    EXPECT_LE(shallow.size(), kMostOfTheCall);
    EXPECT_EQ(stack_of(throw_below, 5).size(), shallow.size() + 5);
}

TEST_F(ThrowStack, IsThatOfItsItemInAMap) {
    auto results = pool.map(throw_below, std::vector<int>{3, 0, 5});
    std::vector<std::size_t> sizes;
    for (auto at = results.begin(); at != results.end(); ++at) {
        const auto stack = caught<RemoteError>([&] { *at; }).stack();
        ASSERT_GE(stack.size(), 2U);
        EXPECT_TRUE(lies_in(stack[0], throw_here)) << stack[0];
        EXPECT_TRUE(lies_in(stack[1], throw_below)) << stack[1];
        sizes.push_back(stack.size());
    }
    ASSERT_EQ(sizes.size(), 3U);
    EXPECT_EQ(sizes[0], sizes[1] + 3);
    EXPECT_EQ(sizes[2], sizes[1] + 5);
}

TEST_F(ThrowStack, OfADeepThrowIsCutOff) {
    for (const int depth : {60, 500}) {
        const auto stack = stack_of(throw_below, depth);
        ASSERT_EQ(stack.size(), 32U);
        EXPECT_TRUE(lies_in(stack[0], throw_here)) << stack[0];
        EXPECT_TRUE(lies_in(stack[31], throw_below)) << stack[31];
    }
}

TEST_F(ThrowStack, IsThatOfTheLastThrow) {
    const auto stack = stack_of(catch_and_throw, 3);
    EXPECT_FALSE(stack.empty());
    EXPECT_EQ(stack_of(catch_and_throw, 6), stack);  // however deep the first one was
}

TEST_F(ThrowStack, OfWhatWasCaughtIsNotToldLater) {
    EXPECT_EQ(pool.submit(catch_it, 30).get(), -1);
    EXPECT_LE(stack_of(throw_below, 0).size(), kMostOfTheCall);
}

}  // namespace
}  // namespace hardwork::test
