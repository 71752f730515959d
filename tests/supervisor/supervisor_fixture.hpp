// A supervisor over processes that are made by plain fork(), and a record of what it tells.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "../zygote/process_fixture.hpp"
#include "os/disposition.hpp"
#include "os/futex.hpp"
#include "supervisor/times.hpp"

namespace hardwork::testing {

struct Event {
    enum class Kind { born, death, failed, timer };
    Kind kind;
    std::uint32_t lane = 0;
    std::int32_t pid = 0;
    ExitStatus status{};
    Error error{};
};

class Record : public SupervisorListener {
  public:
    void on_born(std::uint32_t lane, std::int32_t pid) override { add({Event::Kind::born, lane, pid, {}, {}}); }
    void on_death(std::uint32_t lane, std::int32_t pid, ExitStatus status) override {
        add({Event::Kind::death, lane, pid, status, {}});
    }
    void on_birth_failed(std::uint32_t lane, Error why) override { add({Event::Kind::failed, lane, 0, {}, why}); }
    void on_timer() override {
        add({Event::Kind::timer, 0, 0, {}, {}});
        while (held_)
            usleep(100);
    }
    // Holds up the supervisor's thread in its next on_timer().
    void hold_timer() { held_ = true; }
    void release_timer() { held_ = false; }

    // Waits until there are `count` events of this kind on this lane; the last of them.
    Event wait_for(Event::Kind kind, std::uint32_t lane, std::size_t count = 1) {
        std::unique_lock lock(mutex_);
        const bool in_time = changed_.wait_for(lock, std::chrono::nanoseconds(kWatchdogNs),
                                               [&] { return count_locked(kind, lane) >= count; });
        EXPECT_TRUE(in_time) << "event " << static_cast<int>(kind) << " of lane " << lane;
        for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
            if (event->kind == kind && event->lane == lane) return *event;
        }
        return {kind, lane, 0, {}, {}};
    }
    std::size_t count(Event::Kind kind, std::uint32_t lane) {
        const std::lock_guard lock(mutex_);
        return count_locked(kind, lane);
    }
    std::size_t count_all(Event::Kind kind) {
        const std::lock_guard lock(mutex_);
        std::size_t found = 0;
        for (const auto& event : events_)
            found += event.kind == kind;
        return found;
    }

  private:
    void add(Event event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(event);
        changed_.notify_all();
    }
    std::size_t count_locked(Event::Kind kind, std::uint32_t lane) const {
        std::size_t found = 0;
        for (const auto& event : events_)
            found += event.kind == kind && event.lane == lane;
        return found;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Event> events_;
    std::atomic<bool> held_{false};
};

class ForkSource : public WorkerSource {
  public:
    bool uses_template() const override { return with_template; }
    int start_template(int channel_fd, std::int32_t& pid) override {
        ++starts;
        if (fail_with != 0) return fail_with;
        pid = fork();
        if (pid < 0) return errno;
        if (pid == 0) {
            if (supervisor != nullptr) supervisor->abandon();
            _exit(serve_template(channel_fd, *hooks));
        }
        template_pid = pid;
        return 0;
    }
    int start_worker(const WorkerSetup& setup, std::int32_t& pid) override {
        ++starts;
        if (fail_with != 0) return fail_with;
        pid = fork();
        if (pid < 0) return errno;
        if (pid == 0) {
            os::unblock_all_signals();  // the thread this comes from blocks everything
            _exit(live(setup));
        }
        return 0;
    }

    bool with_template = true;
    std::atomic<int> fail_with{0};
    std::atomic<int> starts{0};
    std::atomic<int> template_pid{0};
    Supervisor* supervisor = nullptr;
    PlainHooks plain;
    TemplateHooks* hooks = &plain;
};

class SupervisorTest : public ::testing::Test {
  protected:
    void SetUp() override {
        descriptors_before_ = count_descriptors();
        // As PID 1 of a container: a worker that is left behind becomes ours, and is found.
        ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    }

    void TearDown() override {
        if (supervisor_) {
            supervisor_->stop();
            EXPECT_EQ(supervisor_->population(), 0);
        }
        supervisor_.reset();
        input_.reset();
        parent_.reset();
        EXPECT_EQ(count_descriptors(), descriptors_before_);
        if (unborn_orphans_) {
            EXPECT_TRUE(eventually([] { return waitpid(-1, nullptr, WNOHANG) < 0; }));
        }
        EXPECT_FALSE(any_child_left());
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    }

    void make() {
        input_ = make_lane("input");
        auto parent = os::open_pidfd(os::self_pid());
        ASSERT_TRUE(parent);
        parent_ = parent.take();
        supervisor_ = make_supervisor(source_, record_, input_.get(), parent_.get(), times_);
        source_.supervisor = supervisor_.get();
    }

    void start() {
        make();
        const auto started = supervisor_->start();
        ASSERT_TRUE(started) << started.error().what << " " << started.error().sys_errno;
    }

    void request(std::uint32_t lane, const char* command) {
        os::Fd memory = make_lane(command);
        lanes_[lane] = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory.get(), 0);
        ASSERT_NE(lanes_[lane], MAP_FAILED);
        supervisor_->request_birth(lane, std::move(memory));
    }

    // Born and at work: between the two a worker dies with its template.
    Event at_work(std::uint32_t lane) {
        Event event = born(lane);
        EXPECT_TRUE(eventually([&] { return static_cast<volatile char*>(lanes_.at(lane))[kBirthCounter] != 0; }));
        return event;
    }
    Event born(std::uint32_t lane, std::size_t count = 1) { return record_.wait_for(Event::Kind::born, lane, count); }
    Event death(std::uint32_t lane, std::size_t count = 1) { return record_.wait_for(Event::Kind::death, lane, count); }
    Event failed(std::uint32_t lane, std::size_t count = 1) {
        return record_.wait_for(Event::Kind::failed, lane, count);
    }

    static void expect_signal(const Event& event, int signal) {
        EXPECT_EQ(event.status.kind, ExitStatus::Kind::signaled);
        EXPECT_EQ(event.status.value, signal);
    }
    static void expect_exit(const Event& event, int code) {
        EXPECT_EQ(event.status.kind, ExitStatus::Kind::exited);
        EXPECT_EQ(event.status.value, code);
    }

    int descriptors_before_ = 0;
    bool unborn_orphans_ = false;  // births may be cut off by a template's end: those end by themselves, a bit later
    SupervisorTimes times_;
    ForkSource source_;
    Record record_;
    os::Fd input_;
    os::Fd parent_;
    std::map<std::uint32_t, void*> lanes_;  // the memory of whom a lane was last requested for, mapped till the end
    std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace hardwork::testing
