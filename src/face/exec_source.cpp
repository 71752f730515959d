#include "face/exec_source.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "face/template_life.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/task.hpp"
#include "os/codes.hpp"
#include "os/duplicate.hpp"
#include "os/image.hpp"
#include "os/process.hpp"

namespace hardwork {

namespace face {

namespace {

// argv[1] of a worker; argv[2] has the numbers of its descriptors, and where the initializer is.
constexpr const char* kWorkerArgument = "--hardwork-worker";
constexpr const char* kNumbers = "%d,%d,%d,%d,%llx";
// The running file, also if another one has its name by now.
constexpr const char* kThisProgram = "/proc/self/exe";
constexpr int kExitUsage = 64;  // EX_USAGE of sysexits.h

struct Tasks {
    std::mutex lock;
    std::vector<detail::AnyFunction> all;  // sorted
    bool entered = false;                  // main has begun with enter_worker()
};
// Made by whichever registration is first; never destroyed.
Tasks& tasks() {
    static auto* const one = new Tasks;
    return *one;
}

bool is_registered(detail::AnyFunction function) {
    if (function == nullptr) return false;
    Tasks& known = tasks();
    const std::lock_guard hold(known.lock);
    return std::binary_search(known.all.begin(), known.all.end(), function, std::less<>{});
}

template <class F>
std::uintptr_t address_in_file(F function) {
    const auto address = reinterpret_cast<std::uintptr_t>(function);
    if (!os::in_program(address)) throw UnregisteredTask("it is in a library, and not in the program's own binary");
    return address - os::program_base();
}
template <class F>
F in_file(F function) {
    return function == nullptr ? nullptr : reinterpret_cast<F>(address_in_file(function));
}
template <class F>
F in_memory(F function) {
    if (function == nullptr) return nullptr;
    return reinterpret_cast<F>(reinterpret_cast<std::uintptr_t>(function) + os::program_base());
}

class ExecSource final : public WorkerSource {
  public:
    explicit ExecSource(std::uintptr_t initializer) : initializer_(initializer) {}

    bool uses_template() const override { return false; }
    int start_template(int, std::int32_t&) override { return os::kCanceled; }
    int start_worker(const WorkerSetup& setup, std::int32_t& pid) override {
        std::array<char, 80> numbers{};
        std::snprintf(numbers.data(), numbers.size(), kNumbers, setup.lane_fd, setup.input_fd, setup.parent_fd,
                      setup.program_fd, static_cast<unsigned long long>(initializer_));
        const int keep[] = {setup.lane_fd, setup.input_fd, setup.parent_fd, setup.program_fd};
        const auto started = os::spawn_process({kThisProgram, kWorkerArgument, numbers.data()}, keep);
        if (!started) return started.error().sys_errno;
        pid = started.value();
        return 0;
    }

  private:
    const std::uintptr_t initializer_;  // in the file; 0: none
};

// What a task starts shall not have it: it came over exec open.
int closed_on_exec(int fd) {
    os::Fd inherited(fd);
    auto own = os::duplicate(fd);
    return own ? own.value().release() : -1;
}

[[noreturn]] void begin_as_worker(const char* numbers) noexcept {
    WorkerSetup setup;
    unsigned long long address = 0;
    if (std::sscanf(numbers, kNumbers, &setup.lane_fd, &setup.input_fd, &setup.parent_fd, &setup.program_fd,
                    &address) != 5) {
        os::exit_now(kExitUsage);
    }
    setup.lane_fd = closed_on_exec(setup.lane_fd);
    setup.input_fd = closed_on_exec(setup.input_fd);
    setup.parent_fd = closed_on_exec(setup.parent_fd);
    setup.program_fd = closed_on_exec(setup.program_fd);
    std::function<void()> initializer;
    if (address != 0) initializer = in_memory(reinterpret_cast<void (*)()>(static_cast<std::uintptr_t>(address)));
    os::exit_now(live_as_worker(setup, initializer, CodeIs::in_file));
}

}  // namespace

std::shared_ptr<WorkerSource> make_exec_source(const Initializer& initializer) {
    if (!tasks().entered) {
        throw InvalidOption(
            "hardwork: Options::start is Start::exec, and main has not begun with hardwork::enter_worker(argc, argv)");
    }
    if (!initializer) return std::make_shared<ExecSource>(0);
    if (!is_registered(initializer.function())) {
        throw InvalidOption(
            "hardwork: with Start::exec, Options::initializer must be a function that HARDWORK_TASK names");
    }
    return std::make_shared<ExecSource>(address_in_file(initializer.function()));
}

detail::Code code_in_file(const detail::Code& code) {
    if (!is_registered(code.target)) throw UnregisteredTask("only functions that HARDWORK_TASK names can run there");
    return {in_file(code.trampoline), in_file(code.target), nullptr};
}

detail::Code code_in_memory(const detail::Code& code) {
    return {in_memory(code.trampoline), in_memory(code.target), nullptr};
}

}  // namespace face

bool detail::add_task(AnyFunction function) {
    face::Tasks& known = face::tasks();
    const std::lock_guard hold(known.lock);
    known.all.insert(std::upper_bound(known.all.begin(), known.all.end(), function, std::less<>{}), function);
    return true;
}

void enter_worker(int argc, char** argv) {
    face::tasks().entered = true;
    if (argc == 3 && std::strcmp(argv[1], face::kWorkerArgument) == 0) face::begin_as_worker(argv[2]);
}

}  // namespace hardwork
