// Values become bytes and come back; bytes that were cut off or changed are a DecodeError and nothing worse.
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::string_literals;

enum class Colour : std::uint16_t { red, green };
enum Unscoped { one_thing, another };

struct Point {
    double x = 0;
    double y = 0;
    bool operator==(const Point&) const = default;
};

struct Person {
    std::string name;
    int age = 0;
    std::vector<Person> children;
    std::optional<Point> home;
    int not_listed = 7;
    bool operator==(const Person&) const = default;
};
auto hardwork_fields(Person& person) { return std::tie(person.name, person.age, person.children, person.home); }

struct Node {
    int value = 0;
    std::unique_ptr<Node> next;
};
auto hardwork_fields(Node& node) { return std::tie(node.value, node.next); }

// Trivially copyable, but it wants to be looked at.
struct Percent {
    int value = 0;
    bool operator==(const Percent&) const = default;
};

struct Nothing {
    bool operator==(const Nothing&) const = default;
};
auto hardwork_fields(Nothing&) { return std::tie(); }

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::Percent> {
    static void encode(auto& out, const test::Percent& percent) { hardwork::encode(out, percent.value); }
    static test::Percent decode(Decoder& in) {
        const int value = hardwork::decode<int>(in);
        if (value < 0 || value > 100) throw DecodeError("not a percentage");
        return {value};
    }
};

namespace hardwork::test {
namespace {

// Exactly as long as it is, so that a sanitizer sees who reads behind it.
using Bytes = std::vector<std::byte>;

template <class T>
Bytes bytes_of(const T& value) {
    SizeCounter counter;
    encode(counter, value);
    Bytes bytes(counter.size());
    MemoryWriter writer(bytes);
    encode(writer, value);
    EXPECT_EQ(writer.left(), 0U);
    BufferWriter growing;
    encode(growing, value);
    EXPECT_TRUE(std::ranges::equal(growing.bytes(), bytes));
    return bytes;
}

template <class T>
T value_of(std::span<const std::byte> bytes) {
    const Bytes exact(bytes.begin(), bytes.end());
    Decoder in(exact);
    T value = decode<T>(in);
    in.expect_end();
    return value;
}

// What is decoded is what was encoded; every shorter text of bytes is refused; so is a longer one. With any byte
// changed it is a value or a DecodeError.
template <class T>
void expect_sound(const T& value) {
    const Bytes bytes = bytes_of(value);
    EXPECT_EQ(value_of<T>(bytes), value);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_THROW(value_of<T>(std::span(bytes).first(size)), DecodeError) << size << " of " << bytes.size();
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_THROW(value_of<T>(longer), DecodeError);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const int change : {0x01, 0x80, 0xff}) {
            Bytes damaged = bytes;
            damaged[at] ^= static_cast<std::byte>(change);
            try {
                static_cast<void>(value_of<T>(damaged));
            } catch (const DecodeError&) {
            }
        }
    }
}

TEST(Codec, ScalarsAndPlainStructs) {
    expect_sound(true);
    expect_sound('x');
    expect_sound(L'w');
    expect_sound(std::int8_t{-1});
    expect_sound(~std::uint64_t{0});
    expect_sound(-1e300);
    expect_sound(1.5L);
    expect_sound(Colour::green);
    EXPECT_EQ(value_of<Unscoped>(bytes_of(another)), another);
    expect_sound(Point{1, -2});
    expect_sound(std::byte{200});
    EXPECT_TRUE(std::isnan(value_of<double>(bytes_of(std::nan("")))));
}

TEST(Codec, Times) {
    using namespace std::chrono;
    expect_sound(nanoseconds(-5));
    expect_sound(duration<float, std::ratio<3600>>(1.5F));
    expect_sound(system_clock::now());
    expect_sound(steady_clock::now());
    expect_sound(year_month_day(year(2024), month(2), day(29)));
}

TEST(Codec, Texts) {
    expect_sound(""s);
    expect_sound("with a \0 in it"s);
    expect_sound(std::u16string(u"wide"));
    expect_sound(std::wstring(L"wider"));
    expect_sound(std::filesystem::path("/a/b c/d.txt"));
    expect_sound(std::filesystem::path());
    const Bytes bytes = bytes_of(std::string_view("seen"));
    Decoder in(bytes);
    EXPECT_EQ(Codec<std::string_view>::decode(in), "seen");
}

TEST(Codec, Sequences) {
    expect_sound(std::vector<int>{});
    expect_sound(std::vector<double>{1, 2, 3});
    expect_sound(std::vector<bool>{true, false, true});
    expect_sound(std::vector<std::string>{"a", "", "ccc"});
    expect_sound(std::vector<std::vector<std::string>>{{"a"}, {}, {"b", "c"}});
    expect_sound(std::vector<Percent>{{1}, {99}});
    expect_sound(std::array<int, 3>{1, 2, 3});
    expect_sound(std::array<std::string, 2>{"a", "b"});
    expect_sound(std::array<bool, 2>{true, false});
    expect_sound(std::vector<std::array<int, 2>>{{1, 2}, {3, 4}});
    static_assert(FixedSize<std::array<int, 3>> && Codec<std::array<int, 3>>::by_bytes);
    static_assert(!FixedSize<std::array<std::string, 2>> && !Codec<std::array<Percent, 2>>::by_bytes);
}

TEST(Codec, SpansShowWhatTravelledAlsoWhereItLiesBadly) {
    const std::vector<double> numbers{1, 2, 3};
    for (const std::size_t shift : {0U, 1U, 4U}) {
        BufferWriter out;
        out.write("1234", shift);
        Codec<std::span<const double>>::encode(out, numbers);
        Codec<std::span<const double, 3>>::encode(out, std::span<const double, 3>(numbers));
        const Bytes bytes(out.bytes().begin(), out.bytes().end());
        Decoder in(bytes);
        in.take(shift);
        const auto any = Codec<std::span<const double>>::decode(in);
        const auto three = Codec<std::span<const double, 3>>::decode(in);
        in.expect_end();
        EXPECT_TRUE(std::ranges::equal(std::span<const double>(any), numbers));
        EXPECT_TRUE(std::ranges::equal(std::span<const double, 3>(three), numbers));
        Decoder four(bytes);
        four.take(shift);
        EXPECT_THROW((Codec<std::span<const double, 4>>::decode(four)), DecodeError);
        for (std::size_t size = shift; size < shift + 32; ++size) {
            const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
            Decoder short_in(cut);
            short_in.take(shift);
            EXPECT_THROW(Codec<std::span<const double>>::decode(short_in), DecodeError);
        }
    }
}

TEST(Codec, PairsTuplesAndChoices) {
    expect_sound(std::pair<int, std::string>{1, "one"});
    expect_sound(std::tuple<int, std::string, std::vector<int>>{1, "one", {1, 2}});
    expect_sound(std::optional<int>{});
    expect_sound(std::optional<std::string>{"there"});
    expect_sound(std::variant<int, std::string, Point>{"text"});
    expect_sound(std::variant<int, double>{2.5});
    expect_sound(std::variant<std::monostate, int>{});
    expect_sound(std::variant<int, int>{std::in_place_index<1>, 5});
    static_assert(FixedSize<std::pair<int, char>> && Codec<std::pair<int, char>>::fixed_size == 5);
    static_assert(!FixedSize<std::optional<int>>);
    // What would be another value of the type, or none at all, in its bytes.
    EXPECT_THROW(value_of<std::optional<int>>(Bytes(5, std::byte{2})), DecodeError);
    EXPECT_THROW((value_of<std::variant<int, double>>(Bytes(12, std::byte{2}))), DecodeError);
}

TEST(Codec, MapsAndSets) {
    expect_sound(std::set<std::string>{"b", "a"});
    expect_sound(std::multiset<int>{1, 1, 2});
    expect_sound(std::unordered_set<std::string>{"x", "y"});
    expect_sound(std::unordered_multiset<int>{1, 1, 2});
    expect_sound(std::map<std::string, std::vector<int>>{{"one", {1}}, {"none", {}}});
    expect_sound(std::map<int, int, std::greater<>>{{1, 2}, {3, 4}});
    expect_sound(std::multimap<int, std::string>{{1, "a"}, {1, "b"}});
    expect_sound(std::unordered_map<std::string, Point>{{"p", {1, 2}}, {"q", {3, 4}}});
    expect_sound(std::unordered_multimap<int, int>{{1, 2}, {1, 3}});
    static_assert(!Sendable<std::set<int, bool (*)(int, int)>>);
}

TEST(Codec, OwnedAloneOrNot) {
    const Bytes some = bytes_of(std::make_unique<std::string>("owned"));
    EXPECT_EQ(*value_of<std::unique_ptr<std::string>>(some), "owned");
    EXPECT_EQ(value_of<std::unique_ptr<std::string>>(bytes_of(std::unique_ptr<std::string>())), nullptr);
    for (std::size_t size = 0; size < some.size(); ++size)
        EXPECT_THROW(value_of<std::unique_ptr<std::string>>(std::span(some).first(size)), DecodeError);
    static_assert(!Sendable<std::unique_ptr<int[]>> && !Sendable<std::unique_ptr<std::exception>>);
    static_assert(!Sendable<std::shared_ptr<int>>);
}

TEST(Codec, StructsByTheListOfTheirMembers) {
    const Person child{"Bob", 5, {}, Point{3, 4}, 7};
    expect_sound(Person{"Ada", 36, {child, child}, std::nullopt, 7});
    Person unlisted{"Ada", 36, {}, std::nullopt, 100};
    EXPECT_EQ(value_of<Person>(bytes_of(unlisted)).not_listed, 7);
    expect_sound(std::map<std::string, Person>{{"a", child}});
}

TEST(Codec, OfYourOwnIsUsedInsideOfContainersToo) {
    expect_sound(Percent{50});
    EXPECT_THROW(value_of<Percent>(bytes_of(101)), DecodeError);
    EXPECT_THROW(value_of<std::vector<Percent>>(bytes_of(std::vector<int>{101})), DecodeError);
    EXPECT_THROW((value_of<std::array<Percent, 1>>(bytes_of(std::array<int, 1>{101}))), DecodeError);
}

Node chain_of(int length) {
    Node first;
    for (int i = 1; i < length; ++i) {
        auto next = std::make_unique<Node>();
        next->next = std::move(first.next);
        next->value = i;
        first.next = std::move(next);
    }
    return first;
}

TEST(Codec, ListsOfNodesThatOwnTheNextGoToADepth) {
    // Two levels a node: the pointer, and what it owns.
    const Node chain = chain_of(max_depth / 2 - 1);
    const Node back = value_of<Node>(bytes_of(chain));
    int nodes = 0;
    for (const Node* node = &back; node != nullptr; node = node->next.get())
        ++nodes;
    EXPECT_EQ(nodes, max_depth / 2 - 1);
    SizeCounter counter;
    EXPECT_THROW(encode(counter, chain_of(max_depth)), EncodeError);
    // Bytes that would be a longer one: each node says that there is another.
    BufferWriter out;
    for (int i = 0; i < 1'000'000; ++i) {
        encode(out, i);
        encode(out, true);
    }
    Decoder in(out.bytes());
    EXPECT_THROW(decode<Node>(in), DecodeError);
}

TEST(Codec, LengthsThatCannotBeEndSoon) {
    for (const std::uint64_t length : {~std::uint64_t{0}, std::uint64_t{1} << 62, std::uint64_t{1} << 40}) {
        const Bytes bytes = bytes_of(length);
        EXPECT_THROW(value_of<std::string>(bytes), DecodeError);
        EXPECT_THROW(value_of<std::u32string>(bytes), DecodeError);
        EXPECT_THROW(value_of<std::vector<int>>(bytes), DecodeError);
        EXPECT_THROW(value_of<std::vector<std::string>>(bytes), DecodeError);
        EXPECT_THROW(value_of<std::vector<Nothing>>(bytes), DecodeError);
        EXPECT_THROW(value_of<std::set<int>>(bytes), DecodeError);
        EXPECT_THROW((value_of<std::map<int, int>>(bytes)), DecodeError);
    }
    EXPECT_EQ(value_of<std::vector<Nothing>>(bytes_of(std::vector<Nothing>(1000))).size(), 1000U);
}

struct Growing {
    mutable int times = 0;
};

struct ThrowsWhenCopied {
    ThrowsWhenCopied() = default;
    ThrowsWhenCopied(const ThrowsWhenCopied&) { throw 1; }
    ThrowsWhenCopied& operator=(const ThrowsWhenCopied&) = default;
};
auto hardwork_fields(ThrowsWhenCopied&) { return std::tie(); }

}  // namespace
}  // namespace hardwork::test

// Writes more each time it is asked.
template <>
struct hardwork::Codec<hardwork::test::Growing> {
    static void encode(auto& out, const test::Growing& growing) {
        for (int i = 0; i <= growing.times; ++i)
            hardwork::encode(out, i);
        ++growing.times;
    }
    static test::Growing decode(Decoder&) { return {}; }
};

namespace hardwork::test {
namespace {

TEST(Codec, WhatCannotBeEncodedIsAnEncodeError) {
    ProcessPool pool({.workers = 1});
    EXPECT_THROW(pool.submit([](const Growing&) {}, Growing{}), EncodeError);
    std::variant<int, ThrowsWhenCopied> valueless;
    EXPECT_THROW(valueless = ThrowsWhenCopied{}, int);
    EXPECT_TRUE(valueless.valueless_by_exception());
    EXPECT_THROW(pool.submit([](const std::variant<int, ThrowsWhenCopied>&) {}, valueless), EncodeError);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Codec, AllOfThemTravel) {
    ProcessPool pool({.workers = 2});
    const std::map<std::string, Person> people{{"a", {"Ada", 36, {{"Bob", 5, {}, {}, 7}}, Point{1, 2}, 7}}};
    const auto echo = [](const std::map<std::string, Person>& in) { return in; };
    EXPECT_EQ(pool.submit(echo, people).get(), people);
    EXPECT_EQ(
        *pool.submit([](std::unique_ptr<std::string> text) { return text; }, std::make_unique<std::string>("x")).get(),
        "x");
    const std::vector<double> numbers{1, 2, 3.5};
    const auto sum = [](std::span<const double> values) {
        double total = 0;
        for (const double value : values)
            total += value;
        return total;
    };
    EXPECT_EQ(pool.submit(sum, numbers).get(), 6.5);
    const std::vector<std::span<const double>> rows(3, numbers);
    EXPECT_EQ(collect(pool.map(sum, rows)), (std::vector<double>{6.5, 6.5, 6.5}));
}

}  // namespace
}  // namespace hardwork::test
