// The process that Template::prepare() makes: a copy of the program from before its threads, of which templates are forked.
//
//   program -> seed    how the initializer is called      [channel of the template, memory with the initializer's state]
//   seed -> program    the template's process id, or a negative errno value
//
// The seed reaps the templates, and ends with the program. Templates and workers look after the program themselves.
#pragma once

#include <cstdint>

#include "hardwork/initializer.hpp"

namespace hardwork::face {

class Seed {
  public:
    // Throws SystemError. Only in a process with one thread.
    static void make();
    static bool exists() noexcept;  // made by this very process
    // As WorkerSource::start_template. Any thread.
    static int start_template(const Initializer& initializer, int channel_fd, std::int32_t& pid);
};

}  // namespace hardwork::face
