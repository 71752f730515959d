// A worker in a forked process, and a parent that does by hand what the engine does: writes requests, reads records.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "hardwork/worker.hpp"
#include "os/clock.hpp"
#include "os/futex.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"
#include "test_runner.hpp"

namespace hardwork::testing {

struct Got {
    shm::Record record{};
    std::string bytes;  // of an inline result
    shm::Extent extent{};
};

struct Options {
    std::uint32_t max_tasks = 0;
    std::uint32_t spin_ns = 0;
    bool fails = false;
};

inline constexpr std::uint64_t kInputSize = 16 * shm::kWindow;

class LaneParent {
  public:
    explicit LaneParent(const Options& options = {}) : options_(options) {
        shm::LaneInfo info{};
        info.generation = 0x5a5;
        info.max_tasks = options.max_tasks;
        info.spin_ns = options.spin_ns;
        info.ticks_per_1024ns = os::ticks_per_1024ns();
        lane_ = shm::Lane::create(info, memory_).take();
        input_ = os::create_memory("test-input", kInputSize).take();
        input_read_only_ = os::reopen_read_only(input_).take();
        self_ = os::open_pidfd(os::self_pid()).take();
        results =
            shm::Windows(memory_.get(), shm::Lane::result_arena_offset(), shm::kResultArenaSize, os::Access::read_only);
        inputs = shm::Windows(input_.get(), 0, kInputSize, os::Access::read_write);
    }
    LaneParent(const LaneParent&) = delete;
    LaneParent& operator=(const LaneParent&) = delete;
    ~LaneParent() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        munmap(&board, 4096);
    }

    // Starts the worker and reads its first record, unless it is not to become ready.
    void start() {
        pid_ = fork();
        if (pid_ == 0) {
            struct sigaction action {};
            action.sa_handler = [](int) {};
            sigaction(SIGUSR1, &action, nullptr);
            alarm(100);
            board.pid.store(getpid());
            TestRunner runner(board, options_.fails);
            _exit(run_worker(setup(), runner));
        }
        if (options_.fails) return;
        const Got got = receive();
        EXPECT_EQ(got.record.kind, shm::RecordKind::ready);
    }
    WorkerSetup setup() const { return {memory_.get(), input_read_only_.get(), self_.get()}; }

    shm::Request& push(shm::RequestKind kind, std::uint64_t task = 0, std::uint32_t function = 0) {
        shm::Request& request = lane_.request(tail_++);
        request.claim.store(shm::kOpen, std::memory_order_relaxed);
        request.task = task;
        request.function = function;
        request.kind = kind;
        request.in_arena = false;
        request.inline_length = 0;
        return request;
    }
    shm::Request& push_task(std::uint64_t task, Do what, std::uint64_t number = 0, std::uint32_t function = 0) {
        shm::Request& request = push(shm::RequestKind::task, task, function);
        put(request, bytes_of(Order{what, number}));
        return request;
    }
    shm::Request& push_span(std::uint64_t task, std::uint32_t next, std::uint32_t end, Do what = Do::echo,
                            std::uint64_t number = 0) {
        shm::Request& request = push(shm::RequestKind::span, task);
        request.claim.store(shm::pack_cursor(next, end), std::memory_order_relaxed);
        put(request, bytes_of(Order{what, number}));
        return request;
    }
    void push_release(std::uint64_t offset) {
        shm::Request& request = push(shm::RequestKind::release);
        request.in_arena = true;
        request.extent = {offset, 0};
    }
    static void put(shm::Request& request, Bytes bytes) {
        std::memcpy(request.bytes, bytes.data(), bytes.size());
        request.inline_length = static_cast<std::uint16_t>(bytes.size());
    }
    void publish() {
        control().parent.request_tail.store(tail_, std::memory_order_release);
        full_fence();
        if (control().bells.sleeping.load(std::memory_order_relaxed) != 0) ring_work();
    }
    void ring_work() {
        control().parent.work_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(control().parent.work_bell, 1);
    }

    // The next record; sleeps as a caller does.
    Got receive() {
        Got got;
        if (!wait_for_record()) {
            ADD_FAILURE() << "no record came";
            return got;
        }
        const std::byte* at = lane_.result(head_);
        std::memcpy(&got.record, at, shm::kShortHeader);
        const std::size_t header = shm::header_size(got.record.kind);
        const std::uint64_t size = shm::record_size(got.record.kind, got.record.length);
        if (got.record.kind == shm::RecordKind::next_item) {
            got.record.kind = shm::RecordKind::item;
            got.record.task = last_.task;
            got.record.index = last_.index + 1;
        } else {
            std::memcpy(&got.record, at, sizeof got.record);
        }
        last_ = got.record;
        EXPECT_EQ(got.record.generation, 0xa5);
        EXPECT_LE(head_ + size, control().worker.result_tail.load());
        if (got.record.in_arena != 0) {
            EXPECT_EQ(got.record.length, sizeof got.extent);
            std::memcpy(&got.extent, at + header, sizeof got.extent);
        } else {
            got.bytes.assign(reinterpret_cast<const char*>(at + header), got.record.length);
        }
        head_ += size;
        control().parent.result_head.store(head_, std::memory_order_release);
        full_fence();
        if (control().bells.blocked.load(std::memory_order_relaxed) != 0) ring_work();
        return got;
    }
    bool no_record() const { return control().worker.result_tail.load() == head_; }
    bool head_reaches(std::uint32_t position) const {
        return eventually([&] { return control().worker.request_head.load() == position; });
    }
    bool phase_becomes(Phase phase) const {
        return eventually([&] { return control().worker.phase.load() == static_cast<std::uint32_t>(phase); });
    }

    // The exit code, or 128 + signal.
    int wait() {
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    // Everything pushed is done, then the worker ends.
    int stop() {
        push(shm::RequestKind::stop);
        publish();
        return wait();
    }
    void kill(int signal) const { ::kill(pid_, signal); }

    shm::Control& control() const { return lane_.control(); }
    shm::Lane& lane() { return lane_; }
    std::uint32_t tail() const { return tail_; }

    Board& board = *make_board();
    shm::Windows results;
    shm::Windows inputs;

  private:
    bool wait_for_record() {
        const std::uint64_t deadline = os::now_ns() + kLongNs;
        for (;;) {
            const std::uint32_t bell = control().bells.caller_bell.load(std::memory_order_acquire);
            want_ += shm::kWantEpoch;
            control().parent.want.store(want_ | shm::kWantCaller, std::memory_order_relaxed);
            full_fence();
            if (control().worker.result_tail.load(std::memory_order_acquire) != head_) return true;
            if (os::futex_wait(control().bells.caller_bell, bell, deadline) == os::Wake::timeout) return false;
        }
    }

    Options options_;
    os::Fd memory_;
    os::Fd input_;
    os::Fd input_read_only_;
    os::Fd self_;
    shm::Lane lane_;
    pid_t pid_ = -1;
    std::uint32_t tail_ = 0;
    std::uint64_t head_ = 0;
    shm::Record last_{};  // what a following item is counted from
    std::uint32_t want_ = 0;
};

}  // namespace hardwork::testing
