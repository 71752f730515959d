#include "hardwork/exceptions.hpp"

#include <cstring>
#include <string>
#include <utility>

namespace hardwork {

namespace {

std::string joined(const std::string& type, const std::string& message) {
    return message.empty() ? type : type + ": " + message;
}

std::string joined(const std::string& type, const std::string& message, const std::vector<RemoteError::Cause>& causes) {
    std::string text = joined(type, message);
    for (const auto& cause : causes)
        text += "; caused by " + joined(cause.type_name, cause.message);
    return text;
}

// What happened to the worker, without saying when.
std::string fate(const WorkerDeath& death) {
    std::string text = "worker " + std::to_string(death.pid);
    if (death.refused_record) {
        text += " was ended because it wrote what no worker writes";
    } else if (death.status.kind == ExitStatus::Kind::signaled) {
        text += " was killed by signal " + std::to_string(death.status.value);
        const char* name = strsignal(death.status.value);
        if (name != nullptr) text += std::string(" (") + name + ")";
    } else if (death.status.kind == ExitStatus::Kind::exited) {
        text += " exited with code " + std::to_string(death.status.value);
    } else {
        text += " has ended";
    }
    if (death.out_of_memory) text += ", chosen by the kernel's out-of-memory killer,";
    return text;
}

std::string story(const WorkerDeath& death) {
    return fate(death) + " while it ran this task (" + phase_name(death.phase) + ")";
}

std::string by_force(const std::string& why, const WorkerDeath& death) {
    return why + " and did not end by itself: " + fate(death) + " (" + phase_name(death.phase) + ")";
}

std::string told(const Error& error) {
    std::string text = "hardwork: ";
    text += error.code == Errc::unsupported ? "this system does not allow: " : "failed: ";
    text += error.what;
    if (error.sys_errno != 0) text += std::string(": ") + std::strerror(error.sys_errno);
    return text;
}

}  // namespace

RemoteError::RemoteError(std::string type, std::string message, std::vector<Cause> causes,
                         std::vector<std::string> stack)
    : PoolError(joined(type, message, causes)),
      type_(std::move(type)),
      message_(std::move(message)),
      causes_(std::move(causes)),
      stack_(std::move(stack)) {}

WorkerDied::WorkerDied(const WorkerDeath& death) : PoolError(story(death)), death_(death) {}

int WorkerDied::signal() const noexcept {
    return death_.status.kind == ExitStatus::Kind::signaled ? death_.status.value : 0;
}

int WorkerDied::exit_code() const noexcept {
    return death_.status.kind == ExitStatus::Kind::exited ? death_.status.value : -1;
}

TaskAborted::TaskAborted(const std::string& what, const WorkerDeath& death)
    : PoolError(by_force(what, death)), death_(death) {}

TaskTimeout::TaskTimeout(const WorkerDeath& death) : TaskAborted("the task ran longer than its time limit", death) {}

TaskStopped::TaskStopped(const WorkerDeath& death) : TaskAborted("the task was stopped", death) {}

WorkerMemoryExceeded::WorkerMemoryExceeded(const WorkerDeath& death)
    : TaskAborted("the task took more than twice max_memory_per_worker", death) {}

BrokenPool::BrokenPool(const std::string& what, std::string cause_type, std::string cause_message)
    : PoolError(what), cause_type_(std::move(cause_type)), cause_message_(std::move(cause_message)) {}

BrokenPool::BrokenPool(const WorkerDeath& death)
    : PoolError("the pool is broken: its workers die before they can work; the last, " + fate(death) + " (" +
                phase_name(death.phase) + ")"),
      death_(death) {}

BrokenPool::BrokenPool(const Error& error)
    : PoolError("the pool is broken: its workers cannot be born; " + told(error)), code_(error.sys_errno) {}

MultithreadedProgram::MultithreadedProgram(int threads)
    : PoolError("hardwork: this program has " + std::to_string(threads) +
                " threads, and workers forked now could wait for ever for what one of them holds; make pools before "
                "threads are started, or call Template::prepare() then") {}

SystemError::SystemError(const Error& error) : PoolError(told(error)), error_(error) {}

}  // namespace hardwork
