// What can run in a worker beside functions and captureless lambdas: captures, members, function objects, bound values.
#include <map>
#include <memory>
#include <string>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::string_literals;

struct Counter {
    int value = 0;
    int plus(int x) const { return value + x; }
    int add(int x) { return value += x; }
    bool operator==(const Counter&) const = default;
};

struct Named {
    std::string name;
    std::string greet(const std::string& word) const { return word + " " + name; }
    virtual ~Named() = default;
};
auto hardwork_fields(Named& named) { return std::tie(named.name); }

struct Loud final : Named {
    std::string sign;
};
auto hardwork_fields(Loud& loud) { return std::tie(loud.name, loud.sign); }

struct Scale {
    std::vector<double> factors;
    double operator()(double x, int which) const { return x * factors.at(static_cast<std::size_t>(which)); }
};
auto hardwork_fields(Scale& scale) { return std::tie(scale.factors); }

// Counts how often it was decoded, in this process.
struct Heavy {
    std::string text;
    static inline int decoded = 0;
    std::pair<int, int> operator()(int x) const { return {x, decoded}; }
};

// Decodes more than it encodes.
struct TornState {
    int operator()(int x) const { return x; }
    std::string text;
};

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::TornState> {
    static void encode(auto&, const test::TornState&) {}
    static test::TornState decode(Decoder& in) { return {hardwork::decode<std::string>(in)}; }
};

template <>
struct hardwork::Codec<hardwork::test::Heavy> {
    static void encode(auto& out, const test::Heavy& heavy) { hardwork::encode(out, heavy.text); }
    static test::Heavy decode(Decoder& in) {
        ++test::Heavy::decoded;
        return {hardwork::decode<std::string>(in)};
    }
};

namespace hardwork::test {
namespace {

TEST(Callable, LambdasWithCaptures) {
    ProcessPool pool({.workers = 2});
    int by = 3;
    const double offset = 0.5;
    const auto scaled = [by, offset](int x) { return by * x + offset; };
    EXPECT_EQ(pool.submit(scaled, 2).get(), 6.5);
    by = 4;
    EXPECT_EQ(pool.submit(scaled, 2).get(), 6.5);
    EXPECT_EQ(pool.submit([by](auto x) { return x + by; }, 1L).get(), 5L);
    EXPECT_EQ(collect(pool.map([by](int x) { return by * x; }, range(0, 1000))).back(), 4 * 999);
    // Different captures of one lambda at the same time.
    std::vector<Future<int>> futures;
    for (int i = 0; i < 100; ++i)
        futures.push_back(pool.submit([i](int x) { return 1000 * i + x; }, 7));
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), 1000 * i + 7);
}

TEST(Callable, ALambdaThatChangesItsCapturesBeginsAnewEachTime) {
    ProcessPool pool({.workers = 1});
    int calls = 0;
    const auto counting = [calls](int) mutable { return ++calls; };
    EXPECT_EQ(collect(pool.map(counting, std::vector<int>(50, 0))), std::vector<int>(50, 1));
    EXPECT_EQ(pool.submit(counting, 0).get(), 1);
    EXPECT_EQ(pool.submit(counting, 0).get(), 1);
}

TEST(Callable, MembersOfAnObjectThatTravels) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(&Counter::plus, Counter{40}, 2).get(), 42);
    Counter counter{40};
    EXPECT_EQ(pool.submit(&Counter::add, counter, 2).get(), 42);
    EXPECT_EQ(counter.value, 40);  // the worker's copy was changed
    EXPECT_EQ(pool.submit(&Counter::value, Counter{5}).get(), 5);
    Named ada;
    ada.name = "Ada";
    EXPECT_EQ(pool.submit(&Named::greet, ada, "hello").get(), "hello Ada");
    Loud bob;
    bob.name = "Bob";
    EXPECT_EQ(pool.submit(&Loud::greet, bob, "hey").get(), "hey Bob");
    EXPECT_EQ(collect(pool.map(&Counter::value, std::vector<Counter>{{1}, {2}})), (std::vector<int>{1, 2}));
    EXPECT_EQ(pool.submit(&std::string::size, "four"s).get(), 4U);
}

TEST(Callable, FunctionObjectsWithACodec) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(Scale{{2, 3}}, 1.5, 1).get(), 4.5);
    EXPECT_EQ(caught<RemoteError>([&] { pool.submit(Scale{{}}, 1.5, 1).get(); }).type_name(), "std::out_of_range");
}

TEST(Callable, BoundValuesOfAnyTypeThatTravels) {
    ProcessPool pool({.workers = 2});
    const std::map<std::string, int> words{{"one", 1}, {"two", 2}};
    const auto look_up = bound([](const std::map<std::string, int>& all,
                                  const std::string& word) { return all.contains(word) ? all.at(word) : 0; },
                               words);
    EXPECT_EQ(pool.submit(look_up, "two"s).get(), 2);
    const std::vector<std::string> asked{"one", "two", "three"};
    EXPECT_EQ(collect(pool.map(look_up, asked)), (std::vector<int>{1, 2, 0}));
    EXPECT_EQ(pool.submit(bound(&Named::greet, Named{}), "nobody"s).get(), "nobody ");
    EXPECT_EQ(pool.submit(bound(twice, 4)).get(), 8);
    EXPECT_EQ(pool.submit(bound(bound([](int a, int b, int c) { return a * 100 + b * 10 + c; }, 1), 2), 3).get(), 123);
    EXPECT_EQ(look_up("one"), 1);  // here, too
}

TEST(Callable, AStateTravelsOnceAWorkerAndNotOnceAnItem) {
    ProcessPool pool({.workers = 2});
    const Heavy heavy{std::string(100'000, 'x')};
    int most = 0;
    for (const auto& [item, decoded] : pool.map(heavy, range(0, 5000)))
        most = std::max(most, decoded);
    EXPECT_EQ(most, 1);
    for (const auto& [item, decoded] : pool.map(heavy, range(0, 5000)))
        most = std::max(most, decoded);
    EXPECT_EQ(most, 2);
    EXPECT_EQ(Heavy::decoded, 0);
}

TEST(Callable, AStateThatReadsPastItsBytesIsAnErrorOfEachItem) {
    ProcessPool pool({.workers = 1});
    int failed = 0;
    auto results = pool.map(TornState{}, range(0, 3));
    for (auto at = results.begin(); at != results.end(); ++at)
        failed += std::string(caught<DecodeError>([&] { *at; }).what()).empty() ? 0 : 1;
    EXPECT_EQ(failed, 3);
    EXPECT_THROW(pool.submit(TornState{}, 1).get(), DecodeError);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

// What must not be taken, as far as a program can say so.
static_assert(!detail::Portable<std::function<void()>> && !detail::Portable<std::reference_wrapper<int(int)>>);
static_assert(detail::Portable<int (*)(int)> && detail::Portable<int (Counter::*)(int)>);

}  // namespace
}  // namespace hardwork::test
