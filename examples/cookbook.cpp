// The recipes of docs/cookbook.md, word by word, and a main that checks what they give.
//
//   cookbook [--quick]     exit code 1 if one gives something else
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hardwork/hardwork.hpp"

using namespace std::chrono_literals;

// --- somebody else's code, as it sometimes is ---

int parse(const std::string& text) {
    if (text == "bad") std::abort();
    return static_cast<int>(text.size());
}

int solve(int problem) {
    while (problem == 0)
        hardwork::this_task::throw_if_stopped();
    return problem * 2;
}

int leaky(int n) {
    volatile char* lost = static_cast<char*>(std::malloc(1000));  // NOLINT: it leaks, that is the point
    lost[0] = 1;
    return n + lost[0];
}

static int model = 0;  // a library with one global state

void load_model() { model = 100; }

int predict(int n) { return model + n; }

bool has_key(std::int64_t n) { return n == 4711; }

// --- the recipes ---

std::vector<int> parse_all(hardwork::ProcessPool& pool, const std::vector<std::string>& texts) {
    std::vector<hardwork::Future<int>> futures;
    for (const std::string& text : texts)
        futures.push_back(pool.submit(parse, text));
    std::vector<int> sizes;
    for (auto& future : futures) {
        const hardwork::Result<int> size = future.try_get();  // never throws
        if (!size) std::fprintf(stderr, "skipped: %s\n", size.error().what().c_str());
        sizes.push_back(size ? *size : -1);
    }
    return sizes;
}

int solve_or_give_up(hardwork::ProcessPool& pool, int problem) {
    try {
        return pool.with({.timeout = 100ms, .retries = 2}).submit(solve, problem).get();
    } catch (const hardwork::TaskTimeout&) {
        return -1;
    }
}

std::vector<int> predict_all(int count) {
    hardwork::ProcessPool pool({.workers = 2, .initializer = load_model});  // once in each worker
    std::vector<int> all;
    for (const int prediction : pool.map(predict, hardwork::range(0, count)))
        all.push_back(prediction);
    return all;
}

std::uint64_t births_of_leaky_calls(int count) {
    hardwork::ProcessPool pool({.workers = 2, .max_tasks_per_worker = 100, .max_memory_per_worker = 500'000'000});
    for (const int result : pool.map(leaky, hardwork::range(0, count)))
        static_cast<void>(result);
    return pool.stats().workers_born;
}

double sum_of_roots(hardwork::ProcessPool& pool) {
    return pool.transform_reduce(hardwork::range(0, 100'000), 0.0, std::plus<>{}, [](int n) { return std::sqrt(n); });
}

hardwork::Buffer squares(std::size_t count) {
    hardwork::Buffer buffer(count * sizeof(double));  // in a worker: memory that the program sees too
    const auto numbers = buffer.as<double>();
    for (std::size_t i = 0; i < count; ++i)
        numbers[i] = static_cast<double>(i) * static_cast<double>(i);
    return buffer;
}

double last_square(hardwork::ProcessPool& pool) {
    const hardwork::Buffer buffer = pool.submit(squares, std::size_t{1'000'000}).get();  // not copied
    return buffer.as<double>().back();
}

int first_answer(hardwork::ProcessPool& pool) {
    std::vector<hardwork::Future<int>> futures;
    futures.push_back(pool.submit(solve, 0));  // never answers
    futures.push_back(pool.submit(solve, 21));
    auto first = hardwork::when_any(std::move(futures)).get();
    const int answer = first.futures[first.index].get();
    for (auto& other : first.futures)
        if (other.valid()) other.stop();
    return answer;
}

std::int64_t find_key(hardwork::ProcessPool& pool, std::int64_t limit) {
    for (auto [number, found] : pool.map_unordered([](std::int64_t n) { return std::pair(n, has_key(n)); },
                                                   hardwork::range(std::int64_t{0}, limit)))
        if (found) return number;  // what has not started never will
    return -1;
}

void explain(hardwork::ProcessPool& pool) {
    const auto fails = [](int n) -> int { throw std::out_of_range("no item " + std::to_string(n)); };
    try {
        pool.submit(fails, 3).get();
    } catch (const hardwork::RemoteError& error) {
        std::printf("%s\n", error.what());  // std::out_of_range: no item 3
        for (const std::string& frame : error.stack())
            std::printf("  at %s\n", frame.c_str());  // for addr2line -fCe program
    } catch (const hardwork::WorkerDied& died) {
        std::printf("%s\n", died.what());  // which worker, which signal, doing what
    }
}

// --- do they? ---

int main() {
    int wrong = 0;
    const auto expect = [&wrong](const char* recipe, bool right) {
        std::printf("%s: %s\n", recipe, right ? "as it says" : "WRONG");
        wrong += right ? 0 : 1;
    };
    hardwork::ProcessPool pool({.workers = 2});
    expect("a parser that crashes", parse_all(pool, {"a", "bad", "ccc"}) == std::vector<int>{1, -1, 3});
    expect("a solver in time", solve_or_give_up(pool, 4) == 8);
    expect("a solver that hangs", solve_or_give_up(pool, 0) == -1);
    std::vector<int> predictions(1000);
    std::iota(predictions.begin(), predictions.end(), 100);
    expect("a global state", predict_all(1000) == predictions);
    expect("a library that leaks", births_of_leaky_calls(1000) >= 10);
    expect("a sum", std::abs(sum_of_roots(pool) - 21'081'692.7) < 1);
    expect("a large result", last_square(pool) == 999'999.0 * 999'999.0);
    expect("the first answer", first_answer(pool) == 42);
    expect("a search", find_key(pool, 1'000'000) == 4711);
    explain(pool);
    return wrong == 0 ? 0 : 1;
}
