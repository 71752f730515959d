// A copy of the program from before its threads, which sleeps: of it templates are forked, the first one and those that
// replace one that has died. A pool has its own; all pools of a program that has called Template::prepare() have that one.
//
//   program -> seed    how the initializer is called      [channel of the template, memory with the initializer's state]
//   seed -> program    the template's process id, or a negative errno value
//
// The seed reaps the templates, and ends with the program. Templates and workers look after the program themselves: a seed
// that is killed costs nothing until a template is, too.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "hardwork/initializer.hpp"
#include "os/channel.hpp"
#include "os/fd.hpp"

namespace hardwork::face {

class Seed {
  public:
    // Forks it, of the program as it is now. own: for templates that are asked for without an initializer; it need not be
    // one that travels. Throws SystemError.
    static std::shared_ptr<Seed> make(const Initializer& own);
    // That of Template::prepare(), if this very process has called it; else nullptr.
    static std::shared_ptr<Seed> prepared();
    static void set_prepared(std::shared_ptr<Seed> seed);

    Seed(os::Channel channel, os::Fd process);
    Seed(const Seed&) = delete;
    Seed& operator=(const Seed&) = delete;
    ~Seed();  // end()

    bool lives() const noexcept;
    // As WorkerSource::start_template. Any thread.
    int start_template(const Initializer& initializer, int channel_fd, std::int32_t& pid);
    // Waits until it has gone. Its templates stay. In a fork of the program it does nothing.
    void end() noexcept;

  private:
    std::int32_t answer();
    bool is_ours() const noexcept;

    const std::uint32_t generation_;  // of the process that has made it, and not of a fork of that
    std::mutex lock_;
    os::Channel channel_;
    os::Fd process_;
};

}  // namespace hardwork::face
