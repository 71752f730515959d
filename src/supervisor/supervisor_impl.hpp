// The supervisor's insides: what the files births, deaths and supervisor_impl share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/atomic.hpp"
#include "os/fd.hpp"
#include "os/poll.hpp"
#include "os/stream.hpp"
#include "os/thread.hpp"
#include "supervisor/registry.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/template_process.hpp"
#include "supervisor/times.hpp"

namespace hardwork {

class SupervisorImpl final : public Supervisor {
  public:
    SupervisorImpl(WorkerSource& source, SupervisorListener& listener, int input_fd, int parent_fd,
                   const SupervisorTimes& times);
    ~SupervisorImpl() override;

    Status start() override;
    void request_birth(std::uint32_t lane, os::Fd lane_fd) override;
    bool signal_worker(std::uint32_t lane, int signal) override;
    void wake_at(std::uint64_t deadline_ns) override;
    int population() const override;
    void stop() override;
    void abandon() override;

  private:
    // Everything that holds descriptors: closed at once, or leaked, in a forked child.
    struct State {
        Registry registry;
        os::Poller poller;
        os::Notifier notifier;
        os::Fd input;
        os::Fd parent;
        os::PipeEnds program;                    // without a template: whose writer is closed when this program ends
        std::optional<TemplateProcess> process;  // the template, if there is one
        // Ended workers that a silent template has not reaped: they are ours if it ends and we inherit its children.
        std::map<std::uint64_t, os::Fd> unreaped;
        // Workers of ours that have ended, and cannot be reaped before who traces them lets go.
        std::vector<os::Fd> traced;
    };

    // supervisor_impl.cpp: the thread's loop.
    bool forgotten() const;
    Status prepare();
    void run();
    void dispatch(std::uint64_t token);
    std::uint64_t next_deadline() const;
    void expire();
    void begin_stop();
    void wake();

    // births.cpp
    void send_births();
    bool ask_template(std::uint64_t ticket, Birth& birth);  // false: nothing can be sent now
    void start_own(std::uint64_t ticket, Birth& birth);
    Status start_template();
    void on_born(zygote::Packet&& packet);
    void adopt(Birth& birth, std::int32_t pid, os::Fd pidfd);
    void fail(std::uint64_t ticket, Error why);
    void fail_waiting(Error why);

    // deaths.cpp
    void on_template_message();
    void on_packet(zygote::Packet&& packet);
    void on_died(const zygote::Packet& packet);
    void on_worker_ended(std::uint64_t ticket);
    void await_status(Birth& birth, std::uint64_t patience_ns);
    void expire_statuses(std::uint64_t now_ns);
    void report_death(std::uint64_t ticket, ExitStatus status);
    std::uint64_t answer_deadline() const;
    void dismiss_template();  // kills it; what follows happens when its pidfd says that it has ended
    void on_template_ended();
    void reap_inherited();
    void reap_traced();
    bool bore(const Birth& birth) const;  // the present template is this process's parent

    WorkerSource& source_;
    SupervisorListener& listener_;
    const int input_fd_;
    const int parent_fd_;
    const SupervisorTimes times_;
    std::unique_ptr<State> state_;
    std::unique_ptr<os::Thread> thread_;
    std::mutex stop_mutex_;
    Atomic<bool> stop_wanted_{false};
    std::int32_t owner_pid_ = 0;

    // The thread's own (start() before it).
    bool stopping_ = false;
    std::uint64_t stop_deadline_ = 0;
    std::uint64_t generation_ = 0;
    std::uint32_t starts_without_birth_ = 0;
    std::size_t awaited_statuses_ = 0;
};

// Tokens of the poller: tickets start at 1 and never come near these. A token of an older template is nobody's.
inline constexpr std::uint64_t kNotifierToken = 0;
inline constexpr std::uint64_t kTemplateBit = std::uint64_t{1} << 63;
constexpr std::uint64_t channel_token(std::uint64_t generation) { return kTemplateBit | (generation << 1); }
constexpr std::uint64_t template_end_token(std::uint64_t generation) { return channel_token(generation) | 1; }

}  // namespace hardwork
