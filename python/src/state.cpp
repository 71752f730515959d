#include "state.hpp"

#include <cstring>

namespace hardwork::py {

State state;

namespace {

PyObject* attribute(const char* module, const char* name) {
    const Ref imported(PyImport_ImportModule(module));
    return imported ? PyObject_GetAttrString(imported.get(), name) : nullptr;
}

}  // namespace

int load_state() {
    const std::pair<PyObject**, std::pair<const char*, const char*>> wanted[] = {
        {&state.base_future, {"concurrent.futures", "Future"}},
        {&state.cancelled_error, {"concurrent.futures", "CancelledError"}},
        {&state.broken_process_pool, {"concurrent.futures.process", "BrokenProcessPool"}},
        {&state.condition, {"threading", "Condition"}},
        {&state.base_result, {"multiprocessing.pool", "ApplyResult"}},
        {&state.base_imap, {"multiprocessing.pool", "IMapIterator"}},
        {&state.remote_traceback, {"multiprocessing.pool", "RemoteTraceback"}},
        {&state.timeout_error, {"multiprocessing", "TimeoutError"}},
        {&state.event, {"threading", "Event"}},
        {&state.logger, {"concurrent.futures._base", "LOGGER"}},
    };
    for (const auto& [place, name] : wanted) {
        *place = attribute(name.first, name.second);
        if (*place == nullptr) return -1;
    }
    const std::pair<PyObject**, const char*> words[] = {
        {&state.pending, "PENDING"},     {&state.running, "RUNNING"},
        {&state.cancelled, "CANCELLED"}, {&state.cancelled_and_notified, "CANCELLED_AND_NOTIFIED"},
        {&state.finished, "FINISHED"},
    };
    for (const auto& [place, word] : words) {
        *place = PyUnicode_InternFromString(word);
        if (*place == nullptr) return -1;
    }
    return 0;
}

int load_pickling() {
    if (state.dumps != nullptr) return 0;
    const std::pair<PyObject**, std::pair<const char*, const char*>> wanted[] = {
        {&state.worker_died, {"hardwork.errors", "worker_died"}},
        {&state.pool_terminated, {"hardwork.errors", "PoolTerminated"}},
        {&state.task_timeout, {"hardwork.errors", "TaskTimeout"}},
        {&state.task_stopped, {"hardwork.errors", "TaskStopped"}},
        {&state.memory_exceeded, {"hardwork.errors", "WorkerMemoryExceeded"}},
        {&state.ended_by_force, {"hardwork.errors", "ended_by_force"}},
        {&state.dumps_result, {"hardwork._pickling", "dumps_result"}},
        {&state.loads, {"hardwork._pickling", "loads"}},
        {&state.dumps_function, {"hardwork._pickling", "dumps_function"}},
        {&state.function_fingerprint, {"hardwork._pickling", "function_fingerprint"}},
        {&state.encode_exception, {"hardwork._pickling", "encode_exception"}},
        {&state.decode_exception, {"hardwork._pickling", "decode_exception"}},
        {&state.dumps, {"hardwork._pickling", "dumps"}},  // last: it says that all are there
    };
    for (const auto& [place, name] : wanted) {
        if (*place != nullptr) continue;
        PyObject* found = attribute(name.first, name.second);
        if (found == nullptr) return -1;
        *place = found;
    }
    return 0;
}

PyObject* take_error() {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != nullptr && value != nullptr) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

int errno_of(PyObject* error, int fallback) {
    const Ref number(error != nullptr ? PyObject_GetAttrString(error, "errno") : nullptr);
    const bool found = number && PyLong_Check(number.get());
    PyErr_Clear();
    return found ? static_cast<int>(PyLong_AsLong(number.get())) : fallback;
}

PyObject* worker_died(const WorkerDeath& death) {
    if (load_pickling() < 0) return nullptr;
    Ref signal = Ref::borrow(Py_None);
    Ref code = Ref::borrow(Py_None);
    if (death.status.kind == ExitStatus::Kind::signaled) signal = Ref(PyLong_FromLong(death.status.value));
    if (death.status.kind == ExitStatus::Kind::exited) code = Ref(PyLong_FromLong(death.status.value));
    return PyObject_CallFunction(state.worker_died, "iOOsKOO", static_cast<int>(death.pid), signal.get(), code.get(),
                                 phase_name(death.phase), static_cast<unsigned long long>(death.task & 0xffffffffU),
                                 death.refused_record ? Py_True : Py_False, death.out_of_memory ? Py_True : Py_False);
}

// What broke a pool, as an exception: a new reference, or nullptr, also with an error.
static PyObject* cause_of(const BrokenCause& cause) {
    switch (cause.kind) {
        case BrokenCause::Kind::unknown: return nullptr;
        case BrokenCause::Kind::death: return worker_died(cause.death);
        case BrokenCause::Kind::error: raise_error(cause.error, nullptr); return take_error();
        case BrokenCause::Kind::exception: break;
    }
    if (load_pickling() < 0) return nullptr;
    const Ref bytes(PyBytes_FromStringAndSize(reinterpret_cast<const char*>(cause.exception.data()),
                                              static_cast<Py_ssize_t>(cause.exception.size())));
    return bytes ? PyObject_CallOneArg(state.decode_exception, bytes.get()) : nullptr;
}

void raise_error(const Error& error, Engine* engine) {
    switch (error.code) {
        case Errc::ok: PyErr_SetString(PyExc_SystemError, "hardwork: an error without a code"); return;
        case Errc::shut_down: PyErr_SetString(PyExc_RuntimeError, "cannot schedule new futures after shutdown"); return;
        case Errc::forked: PyErr_SetString(PyExc_RuntimeError, error.what); return;
        case Errc::invalid_argument: PyErr_SetString(PyExc_ValueError, error.what); return;
        case Errc::out_of_memory: PyErr_NoMemory(); return;
        case Errc::broken: {
            PyErr_SetString(
                state.broken_process_pool,
                "the process pool is broken: its workers could not be started; no task can be run any more");
            if (engine == nullptr) return;
            const Ref broken(take_error());
            PyObject* original = cause_of(engine->broken_cause());
            if (original != nullptr) PyException_SetCause(broken.get(), original);
            PyErr_Clear();
            PyErr_SetObject(state.broken_process_pool, broken.get());
            return;
        }
        case Errc::unsupported:
            PyErr_Format(PyExc_OSError, "hardwork needs %s, which this kernel or container refuses: %s", error.what,
                         std::strerror(error.sys_errno));
            return;
        case Errc::system: {
            const Ref arguments(Py_BuildValue(
                "(iN)", error.sys_errno,
                PyUnicode_FromFormat("hardwork could not %s: %s", error.what, std::strerror(error.sys_errno))));
            if (arguments) PyErr_SetObject(PyExc_OSError, arguments.get());
            return;
        }
    }
}

}  // namespace hardwork::py
