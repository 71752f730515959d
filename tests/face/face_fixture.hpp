// Functions that the tests run in workers, and what a test program must not leave behind.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace hardwork::test {

inline int twice(int x) { return 2 * x; }

inline int nap(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

inline int fail_at_7(int x) {
    if (x == 7) throw std::out_of_range("seven");
    return x;
}

// Dies by a signal with its default action, whatever a sanitizer has set.
inline int die_by(int number) {
    signal(number, SIG_DFL);
    raise(number);
    return number;
}

inline int leave_with(int code) { _exit(code); }

inline int worker_pid() { return getpid(); }

inline std::vector<int> child_pids(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
    return {std::istream_iterator<int>(file), {}};
}

inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

template <class Results>
auto collect(Results&& results) {
    std::vector<std::ranges::range_value_t<Results>> all;
    for (auto& result : results)
        all.push_back(std::move(result));
    return all;
}

// What fn throws, as E.
template <class E, class F>
E caught(F fn) {
    try {
        fn();
    } catch (const E& error) {
        return error;
    }
    throw std::logic_error("nothing was thrown");
}

}  // namespace hardwork::test
