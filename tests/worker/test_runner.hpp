// What the worker of these tests does with a task, and how it and the test tell each other past the lane.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>

#include "base/atomic.hpp"
#include "base/bits.hpp"
#include "hardwork/worker.hpp"
#include "os/clock.hpp"

namespace hardwork::testing {

// Only ever reached by a test that fails.
inline constexpr std::uint64_t kLongNs = 20'000'000'000;

inline bool eventually(const std::function<bool()>& done) {
    const std::uint64_t deadline = os::now_ns() + kLongNs;
    while (!done()) {
        if (os::now_ns() > deadline) return false;
        usleep(200);
    }
    return true;
}

// What test and worker tell each other past the lane.
struct Board {
    Atomic<std::uint32_t> go;  // a task with kHold ends when it is set
    Atomic<std::uint32_t> runs;
    Atomic<std::uint32_t> sleeps;
    Atomic<std::uint32_t> wakes;
    Atomic<std::uint32_t> interrupts;
    Atomic<std::int32_t> pid;
};

inline Board* make_board() {
    void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return new (page) Board{};
}

enum class Do : std::uint64_t {
    echo,       // answers with the function's code and the number
    throws,     // outcome exception, "oops"
    naps,       // sleeps as many microseconds
    hold,       // in the phase with this number, until Board::go
    fill,       // answers with as many bytes 'f'
    gives_up,   // asks for a result of as many bytes, then ends with a small exception
    spins,      // never ends
    oom_score,  // answers with /proc/self/oom_score_adj
};

struct Order {
    Do what;
    std::uint64_t number;
};

inline std::span<const std::byte> bytes_of(const auto& value) { return std::as_bytes(std::span(&value, 1)); }

class TestRunner : public Runner {
  public:
    explicit TestRunner(Board& board, bool fails = false) : board_(board), fails_(fails) {}
    bool initialize(Output& out) override {
        if (fails_) answer(out, "not prepared");
        return !fails_;
    }
    void define(std::uint32_t function, std::span<const std::byte> code) override {
        code_[function] = std::string(reinterpret_cast<const char*>(code.data()), code.size());
    }
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override;
    void before_sleep() override { board_.sleeps.fetch_add(1); }
    void after_sleep() override { board_.wakes.fetch_add(1); }
    void interrupted() override { board_.interrupts.fetch_add(1); }

  private:
    Outcome answer(Output& out, const std::string& text, Outcome outcome = Outcome::value) {
        std::byte* at = out.allocate(text.size());
        if (at == nullptr) _exit(88);
        std::memcpy(at, text.data(), text.size());
        out.finish(text.size());
        return outcome;
    }
    Board& board_;
    bool fails_;
    std::map<std::uint32_t, std::string> code_;
};

inline Outcome TestRunner::run(const Invocation& call, PhaseMark& phase, Output& out) {
    phase.enter(Phase::decode);
    if (call.unreadable) return answer(out, "unreadable", Outcome::exception);
    Order order{};
    std::memcpy(&order, call.payload.data(), sizeof order);
    board_.runs.fetch_add(1);
    phase.enter(Phase::run);
    switch (order.what) {
        case Do::echo:
            if (call.function != 0 && !code_.contains(call.function)) return answer(out, "undefined");
            if (call.is_item) return answer(out, "item " + std::to_string(call.index));
            return answer(out, code_[call.function] + std::to_string(order.number));
        case Do::throws: return answer(out, "oops", Outcome::exception);
        case Do::naps: usleep(static_cast<useconds_t>(order.number)); return answer(out, "");
        case Do::hold:
            phase.enter(static_cast<Phase>(order.number));
            while (board_.go.load() == 0)
                usleep(200);
            return answer(out, call.is_item ? "item " + std::to_string(call.index) : "held");
        case Do::fill: {
            std::byte* at = out.allocate(order.number);
            if (at == nullptr) return answer(out, "no memory", Outcome::exception);
            std::memset(at, 'f', order.number);
            out.finish(order.number);
            return Outcome::value;
        }
        case Do::gives_up:
            if (out.allocate(order.number) == nullptr) _exit(88);
            return answer(out, "gave up", Outcome::exception);
        case Do::spins:
            for (;;)
                cpu_relax();
        case Do::oom_score: {
            char text[16] = {};
            if (FILE* file = std::fopen("/proc/self/oom_score_adj", "r")) {
                if (std::fgets(text, sizeof text, file) == nullptr) text[0] = '\0';
                std::fclose(file);
            }
            return answer(out, text);
        }
    }
    return answer(out, "unknown");
}

}  // namespace hardwork::testing
