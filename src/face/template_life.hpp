// What the processes of the C++ face do: a template forks workers, and they run calls.
#pragma once

#include <functional>

#include "face/runner.hpp"
#include "hardwork/births.hpp"

namespace hardwork::face {

// Of C and of C++: what lies in a buffer when a process is forked would be written by both. To be called before.
void flush_outputs();

// In a worker: all of it, but for its end. The exit code.
int live_as_worker(const WorkerSetup& setup, const std::function<void()>& initializer, CodeIs code);

// In the process that is to be the template. Never returns to the code that it was forked from, whatever happens.
[[noreturn]] void live_as_template(int channel_fd, const std::function<void()>& initializer) noexcept;

}  // namespace hardwork::face
