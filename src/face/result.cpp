#include "hardwork/result.hpp"

#include <new>
#include <optional>

#include "face/exception_types.hpp"
#include "hardwork/exceptions.hpp"

namespace hardwork {

struct Failure::Details {
    FailureKind kind = FailureKind::thrown;
    std::string what;
    std::string type;
    std::optional<WorkerDeath> death;
    std::exception_ptr thrown;

    // For when there is no memory to say what went wrong: made at the start of the program.
    static const std::shared_ptr<const Details> no_memory;
};

const std::shared_ptr<const Failure::Details> Failure::Details::no_memory = std::make_shared<const Details>(
    Details{FailureKind::no_memory, "out of memory", "std::bad_alloc", {}, std::make_exception_ptr(std::bad_alloc())});

namespace {

// The one table from exceptions to kinds.
FailureKind kind_of(const std::exception& error) {
    const auto is = [&error]<class... E>(std::type_identity<E>...) {
        return ((dynamic_cast<const E*>(&error) != nullptr) || ...);
    };
    if (is(std::type_identity<WorkerDied>{})) return FailureKind::worker_died;
    if (is(std::type_identity<TaskTimeout>{})) return FailureKind::task_timeout;
    if (is(std::type_identity<TaskStopped>{})) return FailureKind::task_stopped;
    if (is(std::type_identity<WorkerMemoryExceeded>{})) return FailureKind::task_memory;
    if (is(std::type_identity<Cancelled>{})) return FailureKind::cancelled;
    if (is(std::type_identity<TimeoutError>{})) return FailureKind::timeout;
    if (is(std::type_identity<ShutDown>{})) return FailureKind::shut_down;
    if (is(std::type_identity<BrokenPool>{})) return FailureKind::broken_pool;
    if (is(std::type_identity<InvalidFuture>{}, std::type_identity<InvalidPool>{})) return FailureKind::no_task;
    if (is(std::type_identity<EncodeError>{})) return FailureKind::encode;
    if (is(std::type_identity<DecodeError>{})) return FailureKind::decode;
    if (is(std::type_identity<WrongProcess>{})) return FailureKind::wrong_process;
    if (is(std::type_identity<WouldWaitForever>{})) return FailureKind::would_block;
    if (is(std::type_identity<InvalidOption>{}, std::type_identity<MultithreadedProgram>{})) {
        return FailureKind::bad_option;
    }
    if (is(std::type_identity<UnregisteredTask>{})) return FailureKind::unregistered_task;
    if (is(std::type_identity<SystemError>{})) return FailureKind::system;
    if (is(std::type_identity<std::bad_alloc>{})) return FailureKind::no_memory;
    return FailureKind::thrown;
}

}  // namespace

Failure::Failure(std::exception_ptr thrown) noexcept {
    try {
        auto details = std::make_shared<Details>();
        details->thrown = thrown;
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            details->kind = kind_of(error);
            details->what = error.what();
            details->type = face::readable(face::thrown_type());
            if (const auto* remote = dynamic_cast<const RemoteError*>(&error)) details->type = remote->type_name();
            if (const auto* died = dynamic_cast<const WorkerDied*>(&error)) details->death = died->death();
            if (const auto* aborted = dynamic_cast<const TaskAborted*>(&error); aborted && aborted->death()) {
                details->death = *aborted->death();
            }
        } catch (...) {
            details->type = face::readable(face::thrown_type());
            details->what = details->type;
        }
        details_ = std::move(details);
    } catch (...) {
        details_ = Details::no_memory;
    }
}

FailureKind Failure::kind() const noexcept { return details_->kind; }
const std::string& Failure::what() const noexcept { return details_->what; }
const std::string& Failure::type_name() const noexcept { return details_->type; }
const WorkerDeath* Failure::death() const noexcept { return details_->death ? &*details_->death : nullptr; }
const std::exception_ptr& Failure::exception() const noexcept { return details_->thrown; }

}  // namespace hardwork
