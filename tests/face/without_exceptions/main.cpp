// A program that is built with -fno-exceptions: everything as values. Its exit status is the number of what went wrong.
#if defined(__cpp_exceptions)
#error "this is the program that has no exceptions"
#endif

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace {

int failures = 0;

void expect(bool right, const char* what) {
    if (right) return;
    std::fprintf(stderr, "wrong: %s\n", what);
    ++failures;
}
#define EXPECT(condition) expect(condition, #condition)

int twice(int x) { return 2 * x; }
int die(int number) {
    signal(number, SIG_DFL);
    raise(number);
    return number;
}
std::map<std::string, int> count(const std::vector<std::string>& words) {
    std::map<std::string, int> counts;
    for (const std::string& word : words)
        ++counts[word];
    return counts;
}

// Reads more than it writes.
struct Torn {
    std::string text;
};

}  // namespace

template <>
struct hardwork::Codec<Torn> {
    static void encode(auto& out, const Torn&) { hardwork::encode(out, 1); }
    static Torn decode(Decoder& in) { return {hardwork::decode<std::string>(in)}; }
};

namespace {

// What fails there is a value here.
void maps_that_fail(hardwork::ProcessPool& pool) {
    using hardwork::FailureKind;
    const auto some_fail = [](int x) {
        if (x == 3) die(SIGKILL);
        return std::vector<int>{1, 2, 3, 4, 5}.at(static_cast<std::size_t>(x));  // not of 7
    };
    const std::vector<int> items{0, 3, 2, 7, 4};
    std::vector<int> values;
    std::vector<FailureKind> kinds;
    auto results = pool.try_map(some_fail, items);
    for (hardwork::Result<int>& item : *results) {
        item ? values.push_back(*item) : kinds.push_back(item.error().kind());
    }
    EXPECT((values == std::vector<int>{1, 3, 5}));
    EXPECT((kinds == std::vector<FailureKind>{FailureKind::worker_died, FailureKind::thrown}));
    EXPECT(pool.try_for_each(twice, items).has_value());
    EXPECT(!pool.try_for_each(some_fail, items));
    EXPECT(pool.try_transform_reduce(items, 0, std::plus<>{}, twice).value_or(-1) == 32);
    const auto reduced = pool.try_transform_reduce(items, 0, std::plus<>{}, some_fail);
    EXPECT(!reduced && reduced.error().kind() == FailureKind::worker_died);
    auto torn = pool.try_map([](int) { return Torn{}; }, items);
    for (hardwork::Result<Torn>& item : *torn)
        EXPECT(item.error().kind() == FailureKind::decode);
    EXPECT(pool.try_for_each([](const Torn&) {}, std::vector<Torn>(3)).error().kind() == FailureKind::decode);
}

}  // namespace

int main() {
    using namespace std::chrono_literals;
    using hardwork::FailureKind;

    EXPECT(hardwork::ProcessPool::try_make({.workers = -1}).error().kind() == FailureKind::bad_option);
    auto made = hardwork::ProcessPool::try_make({.workers = 2});
    if (!made) return 100;
    hardwork::ProcessPool pool = std::move(*made);

    EXPECT(*pool.submit(twice, 21).try_get() == 42);
    EXPECT(pool.submit(count, std::vector<std::string>{"a", "b", "a"}).try_get()->at("a") == 2);
    EXPECT(pool.submit([] {}).try_get().has_value());
    const auto died = pool.submit(die, SIGKILL).try_get();
    EXPECT(!died && died.error().kind() == FailureKind::worker_died && died.error().death()->status.value == SIGKILL);
    const auto thrown =
        pool.submit([](const std::vector<int>& all) { return all.at(3); }, std::vector<int>{1}).try_get();
    EXPECT(!thrown && thrown.error().kind() == FailureKind::thrown &&
           thrown.error().type_name() == "std::out_of_range");
    EXPECT(pool.submit([] { return Torn{}; }).try_get().error().kind() == FailureKind::decode);
    EXPECT(pool.submit([](const Torn&) {}, Torn{}).try_get().error().type_name() == "hardwork::DecodeError");
    EXPECT(hardwork::Future<int>().try_get().error().kind() == FailureKind::no_task);

    auto slow = pool.submit([] { usleep(200'000); });
    EXPECT(slow.try_get_for(1ms).error().kind() == FailureKind::timeout);
    EXPECT(slow.try_get().has_value());

    const auto late = pool.with({.timeout = 20ms, .grace = 0ms}).submit([] { pause(); }).try_get();
    EXPECT(!late && late.error().kind() == FailureKind::task_timeout && late.error().death() != nullptr);

    int sum = 0;
    for (const int x : pool.map(twice, hardwork::range(0, 1000)))
        sum += x;
    EXPECT(sum == 999'000);
    EXPECT(pool.transform_reduce(hardwork::range(0, 1000), 0, std::plus<>{}, twice) == 999'000);
    maps_that_fail(pool);
    auto next = pool.submit(twice, 1).then([](hardwork::Result<int> x) { return *x + 1; });
    EXPECT(*next.try_get() == 3);
    auto all = hardwork::when_all(pool.submit(twice, 1), pool.submit(twice, 2)).try_get();
    EXPECT(*std::get<1>(*all).try_get() == 4);

    pool.shutdown();
    EXPECT(pool.try_submit(twice, 1).error().kind() == FailureKind::shut_down);
    EXPECT(pool.try_map(twice, hardwork::range(0, 3)).error().kind() == FailureKind::shut_down);
    return failures;
}
