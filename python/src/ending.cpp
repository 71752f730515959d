// From an ending in bytes to a Python value or exception.
#include "future.hpp"
#include "payload.hpp"

namespace hardwork::py {

namespace {

// Its worker was killed, since it did not stop.
PyObject* ended_by_force(Ending ending, const WorkerDeath& death) {
    if (load_pickling() < 0) return nullptr;
    PyObject* type = state.task_stopped;
    if (ending == Ending::timed_out) type = state.task_timeout;
    if (ending == Ending::memory_exceeded) type = state.memory_exceeded;
    return PyObject_CallFunction(state.ended_by_force, "OisK", type, static_cast<int>(death.pid),
                                 phase_name(death.phase), static_cast<unsigned long long>(death.task & 0xffffffffU));
}

PyObject* decode_exception(std::span<const std::byte> bytes, Face face) {
    if (load_pickling() < 0) return nullptr;
    const Ref data(
        PyBytes_FromStringAndSize(reinterpret_cast<const char*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size())));
    if (!data) return nullptr;
    PyObject* remote = face == Face::pool ? state.remote_traceback : nullptr;  // nullptr: the executor's
    return PyObject_CallFunctionObjArgs(state.decode_exception, data.get(), remote, nullptr);
}

}  // namespace

PyObject* decode_ending(Engine& engine, const TaskResult& result, bool& is_error, Face face) {
    is_error = true;
    PyObject* value = nullptr;
    if (!engine.in_owner_process()) {
        // Large results lie in memory that a fork does not have.
        PyErr_SetString(PyExc_RuntimeError, "this result belongs to a pool of another process, not to a fork of it");
        return take_error();
    }
    switch (result.ending) {
        case Ending::value:
            value = load_value(result.bytes);
            is_error = value == nullptr;
            break;
        case Ending::exception: value = decode_exception(result.bytes, face); break;
        case Ending::worker_died: value = worker_died(result.death); break;
        case Ending::timed_out:
        case Ending::memory_exceeded:
        case Ending::stopped: value = ended_by_force(result.ending, result.death); break;
        case Ending::cancelled:
            if (load_pickling() < 0) break;
            value = PyObject_CallNoArgs(face == Face::pool ? state.pool_terminated : state.cancelled_error);
            break;
        case Ending::broken: raise_error(Error{Errc::broken, 0, ""}, &engine); break;
        case Ending::no_memory:
            PyErr_SetString(PyExc_MemoryError, "the result came but there was no memory for it");
            break;
        case Ending::skipped: PyErr_SetString(PyExc_SystemError, "hardwork: the item was skipped"); break;
    }
    return value != nullptr ? value : take_error();
}

}  // namespace hardwork::py
