// What an AsyncResult does: the methods of multiprocessing.pool.ApplyResult, and what clients read of it.
#include "pool_result.hpp"

namespace hardwork::py {

namespace {

// Until the callback has returned.
Waited wait_for_announcement(PyObject* self, PyObject* timeout) {
    Calls& calls = *result_fields(self).calls;
    if (calls.announced) return Waited::done;
    if (calls.event == nullptr) {
        PyObject* event = PyObject_CallNoArgs(state.event);
        if (event == nullptr) return Waited::raised;
        if (calls.event == nullptr) {
            calls.event = event;
        } else {
            Py_DECREF(event);  // making it ran Python: somebody else was faster
        }
        if (calls.announced) return Waited::done;
    }
    const Ref event = Ref::borrow(calls.event);
    const Ref waited(PyObject_CallMethod(event.get(), "wait", "O", timeout != nullptr ? timeout : Py_None));
    if (!waited) return Waited::raised;
    return calls.announced ? Waited::done : Waited::timeout;
}

Waited wait_ready(PyObject* self, PyObject* timeout) {
    PoolResult& own = result_fields(self);
    if (own.calls_back) {
        const Waited told = wait_for_announcement(self, timeout);
        if (told != Waited::done || own.ready) return told;
    }
    if (own.ready) return Waited::done;
    std::uint64_t deadline;
    if (!deadline_of(timeout, deadline)) return Waited::raised;
    return settle_result(self, deadline);
}

bool timeout_of(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject*& timeout) {
    const Py_ssize_t named = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
    timeout = count + named == 0 ? nullptr : args[0];
    if (count + named == 0 || (count == 1 && named == 0)) return true;
    if (count == 0 && named == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "timeout") == 0) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "expected at most one argument: timeout (seconds, or None)");
    return false;
}

PyObject* result_get(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* timeout;
    if (!timeout_of(args, count, kwnames, timeout)) return nullptr;
    switch (wait_ready(self, timeout)) {
        case Waited::done: break;
        case Waited::timeout: PyErr_SetNone(state.timeout_error); return nullptr;
        case Waited::raised: return nullptr;
    }
    PoolResult& own = result_fields(self);
    if (!own.is_error) return Py_NewRef(own.value);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(own.value)), own.value);
    return nullptr;
}

PyObject* result_wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* timeout;
    if (!timeout_of(args, count, kwnames, timeout)) return nullptr;
    if (wait_ready(self, timeout) == Waited::raised) return nullptr;
    Py_RETURN_NONE;
}

PyObject* result_ready(PyObject* self, PyObject*) {
    const int ready = look_at_result(self);
    return ready < 0 ? nullptr : PyBool_FromLong(ready);
}

PyObject* result_successful(PyObject* self, PyObject*) {
    const int ready = look_at_result(self);
    if (ready < 0) return nullptr;
    if (ready == 0) {
        PyErr_Format(PyExc_ValueError, "%R not ready", self);
        return nullptr;
    }
    return PyBool_FromLong(result_fields(self).is_error ? 0 : 1);
}

PyObject* result_stop(PyObject* self, PyObject*) {
    PoolResult& own = result_fields(self);
    if (own.ready) Py_RETURN_FALSE;
    if (load_pickling() < 0) return nullptr;  // now, and not while somebody waits
    Engine& engine = **own.engine();
    bool stopping = false;
    if (own.is_map) {
        Job* job = own.map->reader.job();
        stopping = job != nullptr && engine.stop(job);
    } else {
        stopping = own.task != nullptr && engine.stop(own.task);
    }
    if (stopping) own.stopped = true;  // whoever decodes how it ended holds the GIL, as we have since that call
    return PyBool_FromLong(stopping ? 1 : 0);
}

PyObject* result_reduce(PyObject*, PyObject*) {
    PyErr_SetString(PyExc_TypeError, "cannot pickle 'hardwork.AsyncResult' object: it stands for work of this process");
    return nullptr;
}

PyObject* get_job(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(result_fields(self).number); }

PyObject* get_success(PyObject* self, void*) {
    const PoolResult& own = result_fields(self);
    return PyBool_FromLong(own.ready && !own.is_error ? 1 : 0);
}

PyObject* get_value(PyObject* self, void*) {
    const PoolResult& own = result_fields(self);
    return Py_NewRef(own.ready ? own.value : Py_None);
}

PyObject* get_number_left(PyObject* self, void*) {
    if (look_at_result(self) < 0) return nullptr;
    const PoolResult& own = result_fields(self);
    if (own.ready) return PyLong_FromLong(0);
    return PyLong_FromSsize_t(own.is_map ? own.map->length - own.map->got : 1);
}

PyObject* get_chunksize(PyObject*, void*) { return PyLong_FromLong(1); }  // _number_left counts items

}  // namespace

PyMethodDef result_methods[] = {
    {"get", as_method(result_get), METH_FASTCALL | METH_KEYWORDS,
     "get($self, /, timeout=None)\n--\n\nThe return value (of a map: the list of them), waited for at most `timeout` "
     "seconds\n(None: as long as it takes).\n\nRaises multiprocessing.TimeoutError, WorkerDied if the worker died "
     "while "
     "it ran the call,\nor what the call raised."},
    {"wait", as_method(result_wait), METH_FASTCALL | METH_KEYWORDS,
     "wait($self, /, timeout=None)\n--\n\nReturns when the result is there, or after `timeout` seconds."},
    {"ready", result_ready, METH_NOARGS, "ready($self, /)\n--\n\nTrue if the call has ended."},
    {"successful", result_successful, METH_NOARGS,
     "successful($self, /)\n--\n\nTrue if the call returned, False if it raised. Raises ValueError if it has not "
     "ended."},
    {"stop", result_stop, METH_NOARGS,
     "stop($self, /)\n--\n\nEnds the call, also while it runs: one that has not started never will. In a running one "
     "TaskStopped\nis raised; if it has not ended after its grace (see Pool.options), its worker is killed. Of a map, "
     "both\nare done with its items. get() raises TaskStopped then; error_callback is told.\n\nReturns False if the "
     "call has ended already, else True."},
    {"__reduce__", result_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef result_attributes[] = {
    {"_job", get_job, nullptr, nullptr, nullptr},
    {"_success", get_success, nullptr, nullptr, nullptr},
    {"_value", get_value, nullptr, nullptr, nullptr},
    {"_number_left", get_number_left, nullptr, nullptr, nullptr},
    {"_chunksize", get_chunksize, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace hardwork::py
