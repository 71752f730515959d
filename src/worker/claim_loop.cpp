#include "worker/claim_loop.hpp"

#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "os/memory_use.hpp"
#include "os/process.hpp"
#include "worker/stop.hpp"

namespace hardwork {

namespace {
constexpr double kMemoryLookNs = 1e6;
constexpr std::uint32_t kLongNs = 100'000;  // a look at the descriptors is a few hundred
}  // namespace

ClaimLoop::ClaimLoop(shm::Lane& lane, const WorkerSetup& setup, Runner& runner)
    : lane_(lane),
      control_(lane.control()),
      runner_(runner),
      phase_(control_.worker.phase),
      input_windows_(setup.input_fd, 0, shm::kInputArenaSize, os::Access::read_only),
      out_(std::make_shared<ResultMemory>(setup.lane_fd)),
      publisher_(lane),
      max_tasks_(control_.info.max_tasks),
      span_is_task_(control_.info.span_is_task != 0),
      max_memory_(control_.info.max_memory),
      lane_file_(setup.lane_fd),
      input_file_(setup.input_fd),
      ns_per_tick_(1024.0 / static_cast<double>(control_.info.ticks_per_1024ns)) {}

// The lane goes next, and a stop that came at the last moment may still be asked about.
ClaimLoop::~ClaimLoop() {
    running_here.control.store(nullptr, std::memory_order_release);
    control_.life.let_go();
}

int ClaimLoop::run() {
    control_.life.hold();
    if (!prepare()) return 1;
    running_here.control.store(&control_, std::memory_order_release);
    for (;;) {
        if (head_ == known_tail_) known_tail_ = control_.parent.request_tail.load(std::memory_order_acquire);
        if (head_ == known_tail_) {
            announce();
            wait_for_work();
            timing_ = false;
            continue;
        }
        shm::Request& request = lane_.request(head_);
        if (request.kind != shm::RequestKind::task && request.kind != shm::RequestKind::span) {
            announce();
            timing_ = false;
        }
        switch (request.kind) {
            case shm::RequestKind::task: run_task(request); break;
            case shm::RequestKind::span: run_span(request); break;
            case shm::RequestKind::define:
                phase_.enter(Phase::init);  // it may import for seconds; who looks shall not think that it is stuck
                runner_.define(request.function, payload(request));
                phase_.enter(Phase::idle);
                break;
            case shm::RequestKind::release: out_.take_back(request.extent.offset); break;
            case shm::RequestKind::stop: HARDWORK_FAULT_POINT(); return 0;
        }
        if (limit_reached()) {
            announce();
            return damaged_ ? 74 : 0;  // EX_IOERR of sysexits.h
        }
        control_.worker.request_head.store(++head_, std::memory_order_release);
    }
}

// What was published last is told to a parent that sleeps.
void ClaimLoop::announce() {
    full_fence();
    publisher_.ring_if_wanted();
}

bool ClaimLoop::prepare() {
    phase_.enter(Phase::init);
    out_.reset();
    if (!runner_.initialize(out_)) {
        publisher_.publish(shm::RecordKind::init_failed, Outcome::value, 0, 0, 0, out_);
        announce();
        return false;
    }
    out_.reset();
    phase_.enter(Phase::idle);
    publisher_.publish(shm::RecordKind::ready, Outcome::value, 0, 0, 0, out_);
    return true;
}

void ClaimLoop::run_task(shm::Request& request) {
    control_.worker.position.store(head_, std::memory_order_relaxed);
    phase_.enter(Phase::claim);
    if (shm::claim_task(request.claim, shm::kClaimed)) {
        fence_after_rmw();
        publisher_.ring_if_wanted();
        Invocation call;
        call.function = request.function;
        call.payload = payload(request);
        call.unreadable = call.payload.data() == nullptr;
        // Tasks of one function that follow each other are timed like the items of a span.
        if (!timing_ || timed_function_ != call.function) watch_ = Stopwatch{os::ticks()};
        timing_ = true;
        timed_function_ = call.function;
        begin(request, 0);
        execute(request, call, shm::RecordKind::task, watch_);
    }
    phase_.enter(Phase::idle);
}

void ClaimLoop::run_span(shm::Request& request) {
    control_.worker.position.store(head_, std::memory_order_relaxed);
    Invocation call;
    call.function = request.function;
    call.is_item = true;
    call.payload = payload(request);
    call.unreadable = call.payload.data() == nullptr;
    watch_ = Stopwatch{os::ticks()};
    timing_ = false;
    bool any = false;  // of a span that counts as one task: whether it was begun
    for (;;) {
        phase_.enter(Phase::claim);
        if (!shm::claim_item(request.claim, call.index)) break;
        fence_after_rmw();
        publisher_.ring_if_wanted();
        begin(request, call.index);
        execute(request, call, shm::RecordKind::item, watch_);
        any = span_is_task_;
        if (!span_is_task_ && limit_reached()) break;
    }
    if (any) ++executed_;
    phase_.enter(Phase::idle);
}

// A look takes some microseconds, so there are no more of them than one a millisecond.
bool ClaimLoop::memory_exceeded() {
    const std::uint64_t now = os::ticks();
    if (memory_exceeded_ || static_cast<double>(now - memory_looked_at_) * ns_per_tick_ < kMemoryLookNs) {
        return memory_exceeded_;
    }
    memory_looked_at_ = now;
    memory_exceeded_ = os::resident_bytes(os::self_pid()) > max_memory_;
    return memory_exceeded_;
}

bool ClaimLoop::files_changed() {
    damaged_ = !lane_file_.unchanged() || !input_file_.unchanged();
    return damaged_;
}

// Before DECODE, which is what makes this the execution that the parent may time and stop.
void ClaimLoop::begin(const shm::Request& request, std::uint32_t item) {
    running_here.item.store(item, std::memory_order_relaxed);
    if (request.timed) control_.worker.begun.store(os::ticks(), std::memory_order_relaxed);
}

// A look at the clock costs as much as a short item's record: several short ones share one, and the record that has it
// gives their mean. An item's time has in it what it cost to publish the one before, as it has for who shares out items.
std::uint32_t ClaimLoop::Stopwatch::lap(double ns_per_tick) {
    if (++laps < stride) return 0;
    const std::uint64_t now = os::ticks();
    const double each = static_cast<double>(now - begin) * ns_per_tick / laps;
    begin = now;
    laps = 0;
    stride = each < kShortNs ? kShared : 1;
    return each < 1.0 ? 1U : each < 4.0e9 ? static_cast<std::uint32_t>(each) : 4'000'000'000U;
}

void ClaimLoop::execute(const shm::Request& request, const Invocation& call, shm::RecordKind kind, Stopwatch& watch) {
    out_.reset();
    const Outcome outcome = runner_.run(call, phase_, out_);
    const std::uint32_t elapsed = watch.lap(ns_per_tick_);
    phase_.enter(Phase::publish);
    if (publisher_.publish(kind, outcome, call.index, elapsed, request.task, out_))
        watch = Stopwatch{os::ticks()};  // waiting for the parent is not its time
    phase_.enter(Phase::idle);
    if (elapsed >= kLongNs) look_at_files_ = true;
    if (!call.is_item || !span_is_task_) ++executed_;
}

std::span<const std::byte> ClaimLoop::payload(const shm::Request& request) {
    if (!request.in_arena) return {request.bytes, request.inline_length};
    const std::byte* data = input_windows_.at(request.extent);
    // Not this task's fault, and it has not been touched: in CLAIM the end of this process gives it to another.
    if (data == nullptr && files_changed()) os::kill_self();
    return {data, data != nullptr ? request.extent.length : 0};
}

void ClaimLoop::wait_for_work() {
    const auto has_work = [this] { return head_ != control_.parent.request_tail.load(std::memory_order_acquire); };
    const int cpu = os::current_cpu();
    // A store would take the line from the parent, which looks at it after each request.
    if (control_.bells.cpu.load(std::memory_order_relaxed) != cpu) {
        control_.bells.cpu.store(cpu, std::memory_order_relaxed);
    }
    if (control_.info.spin_ns != 0) {
        const auto budget = static_cast<std::uint64_t>(static_cast<double>(control_.info.spin_ns) / ns_per_tick_);
        const std::uint64_t begin = os::ticks();
        // On the parent's own CPU spinning would keep it from running.
        while (control_.parent.cpu.load(std::memory_order_relaxed) != cpu && os::ticks() - begin < budget) {
            if (has_work()) return;
            for (int i = 0; i < 8; ++i)
                cpu_relax();
        }
    }
    runner_.before_sleep();
    const std::uint32_t bell = control_.parent.work_bell.load(std::memory_order_acquire);
    control_.bells.sleeping.store(1, std::memory_order_relaxed);
    full_fence();
    os::Wake wake = os::Wake::woken;
    if (!has_work()) {
        publisher_.ring_if_idle_wanted();
        wake = os::futex_wait(control_.parent.work_bell, bell, os::kNoDeadline);
    }
    control_.bells.sleeping.store(0, std::memory_order_relaxed);
    runner_.after_sleep();
    if (wake == os::Wake::interrupted) runner_.interrupted();
}

}  // namespace hardwork
