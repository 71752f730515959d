// The parent's handle of one template process.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "hardwork/births.hpp"
#include "os/channel.hpp"
#include "os/fd.hpp"
#include "supervisor/registry.hpp"
#include "zygote/protocol.hpp"

namespace hardwork {

class TemplateProcess {
  public:
    // Births asked for and not answered. A template that does not read must not fill the channel, on which the
    // supervisor's thread would block then; and descriptors under way count against the user's limit.
    static constexpr std::uint32_t kMostInFlight = 16;

    explicit TemplateProcess(std::uint64_t generation) : generation_(generation) {}

    // The source forks, perhaps: this object must be where abandon() finds it.
    Status start(WorkerSource& source, int input_fd, int parent_fd);
    Status ask(std::uint64_t ticket, const Birth& birth, std::uint64_t now_ns);
    void ask_kill(std::uint64_t ticket);
    zygote::Received receive(zygote::Packet& packet);  // blocks; refuses what is not ours
    void answered(std::uint64_t now_ns);               // one birth less in flight
    bool has_message() const;                          // or has closed its end
    void refuse_messages();                            // what was not sent by now never will be
    void kill();
    // Says STOP, waits, kills after the grace, reaps. Blocks.
    void end(std::uint64_t grace_ns);
    void reap();  // after its end

    std::uint64_t generation() const { return generation_; }
    int channel_fd() const { return channel_.fd(); }
    int pidfd() const { return pidfd_.get(); }
    bool ready() const { return ready_; }
    bool dying() const { return dying_; }
    bool full() const { return in_flight_ >= kMostInFlight; }
    std::uint32_t in_flight() const { return in_flight_; }
    std::uint64_t quiet_since() const { return quiet_since_; }
    void excuse(std::uint64_t now_ns) { quiet_since_ = now_ns; }
    void set_ready(std::uint64_t now_ns);

  private:
    void end_without_pidfd(std::uint64_t grace_ns);

    std::uint64_t generation_;
    os::Channel channel_;
    os::Fd pidfd_;
    std::int32_t pid_ = 0;
    std::uint32_t in_flight_ = 0;
    std::uint64_t quiet_since_ = 0;  // its last answer, or the first question after that
    bool ready_ = false;
    bool dying_ = false;
};

}  // namespace hardwork
