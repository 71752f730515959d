// submit and get: the types that travel, the functions that do, exceptions.
#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::string_literals;

enum class Colour : std::uint8_t { red, green };

struct Point {
    double x;
    double y;
    Colour colour;
    bool operator==(const Point&) const = default;
};

struct Fixed {
    explicit Fixed(int v) : value(v) {}
    int value;
    bool operator==(const Fixed&) const = default;
};

struct Person {
    std::string name;
    std::vector<std::string> pets;
    bool operator==(const Person&) const = default;
};

struct Torn {
    int value = 0;
    std::string text;
};

int global = 1;

int add(int a, int b) noexcept { return a + b; }
const std::string& the_text() {
    static const std::string text = "a text that is not in the string itself";
    return text;
}
void touch() {}
template <class T>
T echo(T value) {
    return value;
}
template <class T>
void expect_echo(ProcessPool& pool, const T& value) {
    EXPECT_EQ(pool.submit(echo<T>, value).get(), value);
}

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::Person> {
    static void encode(auto& out, const test::Person& person) {
        hardwork::encode(out, person.name);
        hardwork::encode(out, person.pets);
    }
    static test::Person decode(Decoder& in) {
        auto name = hardwork::decode<std::string>(in);
        return {std::move(name), hardwork::decode<std::vector<std::string>>(in)};
    }
};

// One that reads more than it writes.
template <>
struct hardwork::Codec<hardwork::test::Torn> {
    static void encode(auto& out, const test::Torn& torn) { hardwork::encode(out, torn.value); }
    static test::Torn decode(Decoder& in) { return {hardwork::decode<int>(in), hardwork::decode<std::string>(in)}; }
};

namespace hardwork::test {
namespace {

TEST(Submit, FunctionsAndCapturelessLambdas) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(twice, 21).get(), 42);
    EXPECT_EQ(pool.submit(&add, 1, 2).get(), 3);
    EXPECT_EQ(pool.submit([](int a, long b) { return a * b; }, 6, 7).get(), 42);
    EXPECT_EQ(pool.submit([](auto a, auto b) { return a + b; }, 1.5, 2).get(), 3.5);
    EXPECT_EQ(pool.submit(std::plus<>{}, 1, 2).get(), 3);
    EXPECT_EQ(pool.submit([]() mutable noexcept { return 9; }).get(), 9);
    Future<void> nothing = pool.submit(touch);
    nothing.get();
    EXPECT_FALSE(nothing.valid());
}

TEST(Submit, ScalarsAndPlainStructs) {
    ProcessPool pool({.workers = 2});
    expect_echo(pool, true);
    expect_echo(pool, 'x');
    expect_echo(pool, std::int8_t{-1});
    expect_echo(pool, ~std::uint64_t{0});
    expect_echo(pool, 0.1F);
    expect_echo(pool, -1e300);
    expect_echo(pool, Colour::green);
    expect_echo(pool, Point{1, -2, Colour::green});
    expect_echo(pool, Fixed(5));
    expect_echo(pool, std::array<int, 4>{1, 2, 3, 4});
    expect_echo(pool, std::chrono::milliseconds(7));
}

TEST(Submit, Texts) {
    ProcessPool pool({.workers = 2});
    expect_echo(pool, ""s);
    expect_echo(pool, "with a \0 in it"s);
    expect_echo(pool, std::string(1'000'000, 'x'));
    expect_echo(pool, std::u16string(u"wide"));
    // A literal is converted to what the function takes.
    EXPECT_EQ(pool.submit([](const std::string& text) { return text.size(); }, "four").get(), 4U);
    EXPECT_EQ(pool.submit([](std::string_view text) { return std::string(text.substr(1)); }, "four").get(), "our");
    EXPECT_EQ(pool.submit(the_text).get(), the_text());
}

TEST(Submit, Containers) {
    ProcessPool pool({.workers = 2});
    expect_echo(pool, std::vector<int>{});
    expect_echo(pool, std::vector<double>{1, 2, 3});
    expect_echo(pool, std::vector<bool>{true, false, true});
    expect_echo(pool, std::vector<Fixed>{Fixed(1), Fixed(2)});
    expect_echo(pool, std::vector<std::string>{"a", "", "ccc"});
    expect_echo(pool, std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}});
    expect_echo(pool, std::pair<int, std::string>{1, "one"});
    expect_echo(pool, std::tuple<int, std::string, std::vector<int>>{1, "one", {1, 2}});
    expect_echo(pool, std::array<std::string, 2>{"a", "b"});
    expect_echo(pool, std::optional<int>{});
    expect_echo(pool, std::optional<std::string>{"there"});
    expect_echo(pool, std::optional<std::string>{});
}

TEST(Submit, ATypeWithItsOwnCodec) {
    ProcessPool pool({.workers = 2});
    expect_echo(pool, Person{"Ada", {"cat", "dog"}});
    expect_echo(pool, std::vector<Person>{{"Ada", {}}, {"Bob", {"fish"}}});
}

TEST(Submit, ACodecThatReadsPastItsBytesIsAnError) {
    ProcessPool pool({.workers = 1});
    EXPECT_THROW(pool.submit([](const Torn&) { return 1; }, Torn{}).get(), DecodeError);
    EXPECT_THROW(pool.submit([] { return Torn{}; }).get(), DecodeError);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Submit, TwentyMegabytesThereAndBack) {
    ProcessPool pool({.workers = 2});
    std::vector<std::uint64_t> numbers(20'000'000 / sizeof(std::uint64_t));
    std::iota(numbers.begin(), numbers.end(), 1);
    for (int i = 0; i < 3; ++i)
        expect_echo(pool, numbers);
}

TEST(Submit, ExceptionsComeBackByNameAndText) {
    ProcessPool pool({.workers = 1});
    const auto error = caught<RemoteError>([&] { pool.submit(fail_at_7, 7).get(); });
    EXPECT_EQ(error.type_name(), "std::out_of_range");
    EXPECT_EQ(error.message(), "seven");
    EXPECT_STREQ(error.what(), "std::out_of_range: seven");
    const auto number = caught<RemoteError>([&] { pool.submit([] { throw 42; }).get(); });
    EXPECT_EQ(number.type_name(), "int");
    EXPECT_EQ(number.message(), "");
    const auto long_text = std::string(500'000, 'y');
    const auto large = caught<RemoteError>(
        [&] { pool.submit([](const std::string& text) { throw std::runtime_error(text); }, long_text).get(); });
    EXPECT_EQ(large.message(), long_text);
    EXPECT_EQ(pool.submit(fail_at_7, 8).get(), 8);
}

TEST(Submit, WorkersSeeTheProgramAsItWas) {
    global = 2;
    ProcessPool pool({.workers = 1});
    global = 3;
    EXPECT_EQ(pool.submit([] { return global; }).get(), 2);
    pool.submit([] { global = 4; }).get();
    EXPECT_EQ(pool.submit([] { return global; }).get(), 4);
    EXPECT_EQ(global, 3);
    EXPECT_NE(pool.submit(worker_pid).get(), getpid());
}

TEST(Submit, FromManyThreads) {
    ProcessPool pool({.workers = 2});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&pool, t] {
            std::vector<Future<int>> futures;
            for (int i = 0; i < 2000; ++i)
                futures.push_back(pool.submit(add, i, t));
            for (int i = 0; i < 2000; ++i)
                EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i + t);
        });
    }
    for (std::thread& thread : threads)
        thread.join();
}

// What must not compile, as far as a program can say so.
static_assert(!Sendable<int*> && !Sendable<const char*> && !Sendable<std::reference_wrapper<int>>);
static_assert(!Sendable<std::span<int>> && !Sendable<std::vector<int*>> && !Sendable<std::array<int*, 2>>);
static_assert(Sendable<std::span<const int>> && !Returnable<std::span<const int>>);
static_assert(!Sendable<std::optional<int*>> && !Sendable<std::pair<int, char*>> && !Sendable<std::tuple<int*>>);
static_assert(Sendable<std::string_view> && !Returnable<std::string_view> && !Sendable<std::vector<std::string_view>>);
static_assert(Returnable<std::string> && FixedSize<int> && !FixedSize<std::string>);
static_assert(!std::is_copy_constructible_v<Future<int>> && std::is_nothrow_move_constructible_v<Future<int>>);

}  // namespace
}  // namespace hardwork::test
