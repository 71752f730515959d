// What a template process of the C++ face does: forks workers, which run calls.
#pragma once

#include <functional>

namespace hardwork::face {

// Of C and of C++: what lies in a buffer when a process is forked would be written by both. To be called before.
void flush_outputs();

// In the process that is to be the template. Never returns to the code that it was forked from, whatever happens.
[[noreturn]] void live_as_template(int channel_fd, const std::function<void()>& initializer) noexcept;

}  // namespace hardwork::face
