#include "hardwork/exceptions.hpp"

namespace hardwork {

namespace {

std::string describe(const WorkerDeath& death) {
    std::string text = "worker " + std::to_string(death.pid);
    switch (death.status.kind) {
        case ExitStatus::Kind::signaled: text += " was killed by signal " + std::to_string(death.status.value); break;
        case ExitStatus::Kind::exited: text += " exited with code " + std::to_string(death.status.value); break;
        case ExitStatus::Kind::unknown: text += " ended (exit status unknown)"; break;
    }
    text += std::string(" in phase ") + phase_name(death.phase);
    if (death.phase >= Phase::encode) text += ": the task ran, its result is lost";
    if (death.refused_record) text += "; the pool ended it, because it wrote an invalid record";
    return text;
}

}  // namespace

WorkerDied::WorkerDied(const WorkerDeath& death) : std::runtime_error(describe(death)), death_(death) {}

}  // namespace hardwork
