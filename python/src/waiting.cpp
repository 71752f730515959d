#include "waiting.hpp"

#include <cmath>

namespace hardwork::py {

bool deadline_of(PyObject* timeout, std::uint64_t& deadline) {
    deadline = kNoDeadline;
    if (timeout == nullptr || timeout == Py_None) return true;
    const double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) return false;
    if (std::isnan(seconds)) {
        PyErr_SetString(PyExc_ValueError, "timeout must be a number of seconds or None, not nan");
        return false;
    }
    if (seconds > 3.0e9) return true;
    deadline = monotonic_ns() + (seconds > 0 ? static_cast<std::uint64_t>(seconds * 1e9) : 0);
    return true;
}

Waited wait_for_task(const EngineRef& engine, Task* task, std::uint64_t deadline) {
    if (engine->is_done(task)) return Waited::done;
    if (!engine->in_owner_process()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this future belongs to a pool of another process: a fork of it cannot wait for it");
        return Waited::raised;
    }
    if (engine->spin(task)) return Waited::done;
    return sleep_until(deadline, [&](std::uint64_t until) { return engine->wait(task, until); });
}

Waited wait_for_block(const EngineRef& engine, Job* job, std::uint64_t deadline) {
    if (engine->spin(job)) return Waited::done;
    return sleep_until(deadline, [&](std::uint64_t until) { return engine->wait(job, until); });
}

Turn::Turn() : lock_(PyThread_allocate_lock()) {}

Turn::~Turn() {
    if (lock_ != nullptr) PyThread_free_lock(lock_);
}

Waited Turn::take(std::uint64_t deadline) {
    const unsigned long me = PyThread_get_thread_ident();
    if (lock_ == nullptr) {
        PyErr_NoMemory();
        return Waited::raised;
    }
    if (owner_ == me) {
        PyErr_SetString(PyExc_ValueError, "these results are being read by this very thread, which was interrupted");
        return Waited::raised;
    }
    while (PyThread_acquire_lock(lock_, NOWAIT_LOCK) == 0) {
        PY_TIMEOUT_T microseconds = -1;
        if (deadline != kNoDeadline) {
            const std::uint64_t now = monotonic_ns();
            if (now >= deadline) return Waited::timeout;
            microseconds = static_cast<PY_TIMEOUT_T>((deadline - now) / 1000 + 1);
        }
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS status = PyThread_acquire_lock_timed(lock_, microseconds, 1);
        Py_END_ALLOW_THREADS if (status == PY_LOCK_ACQUIRED) break;
        if (status == PY_LOCK_INTR && PyErr_CheckSignals() < 0) return Waited::raised;
    }
    owner_ = me;
    return Waited::done;
}

void Turn::give() {
    owner_ = 0;
    PyThread_release_lock(lock_);
}

}  // namespace hardwork::py
