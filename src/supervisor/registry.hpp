// Every birth that was asked for, until its end has been told. What other threads may touch is behind one mutex.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "os/fd.hpp"
#include "os/futex.hpp"

namespace hardwork {

struct Birth {
    enum class State {
        waiting,    // not yet asked of anybody
        sent,       // the template has been asked
        unwatched,  // born, but its pidfd could not be had: it is being killed, and its birth has failed
        alive,
        ended,  // the pidfd said so; its exit status is awaited from the template
    };
    State state = State::waiting;
    std::uint32_t lane = 0;
    std::int32_t pid = 0;
    std::uint64_t generation = 0;  // of the template that was asked; 0: our own child
    std::uint64_t status_deadline = 0;
    bool kill_when_born = false;
    os::Fd lane_fd;  // kept until the birth is certain: another template may have to be asked
    os::Fd pidfd;
};

// Entries are added by any thread, changed and removed by the supervisor's alone: so that thread may read what only it
// writes (all but kill_when_born) without the lock, and the address of an entry stays valid while it works on it.
class Registry {
  public:
    // Any thread.
    bool add(std::uint32_t lane, os::Fd lane_fd);  // false after close()
    bool signal(std::uint32_t lane, int signal);
    int population() const;
    // Arms the timer; true when the supervisor's thread would sleep past it.
    bool arm(std::uint64_t deadline_ns);

    // The supervisor's thread.
    Birth* find(std::uint64_t ticket);
    std::optional<std::uint64_t> next_waiting();
    std::vector<std::uint64_t> in_state(Birth::State state) const;
    void set_sent(Birth& birth, std::uint64_t generation);
    void set_waiting(std::uint64_t ticket);                        // to be sent again, before younger ones
    void set_alive(Birth& birth, std::int32_t pid, os::Fd pidfd);  // kills it if somebody asked for that before
    void set_unwatched(Birth& birth, std::int32_t pid, os::Fd pidfd);
    void set_ended(Birth& birth, std::uint64_t status_deadline);
    void kill(Birth& birth);                               // at once, or as soon as it is born
    Birth take(std::uint64_t ticket);                      // removes; for an entry that exists
    std::uint64_t sleep_until(std::uint64_t deadline_ns);  // the earlier of this and the timer
    bool take_timer(std::uint64_t now_ns);                 // true when the timer was due; disarms it
    // No entries from now on: true if there is none.
    bool close_if_empty();

    // In a forked child: false when another thread was at work at the time of the fork; then nothing may be touched.
    bool try_forget();
    template <class Body>
    void locked(Body&& body) {
        const std::lock_guard guard(mutex_);
        body();
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::uint64_t, Birth> births_;  // by ticket
    std::deque<std::uint64_t> waiting_;
    std::uint64_t next_ticket_ = 1;
    std::uint64_t timer_ = os::kNoDeadline;
    std::uint64_t sleeping_until_ = 0;
    bool closed_ = false;
};

}  // namespace hardwork
