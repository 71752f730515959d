// What a Future does: the methods and attributes of concurrent.futures.Future that touch its state.
#include "future_object.hpp"
#include "managed_dict.hpp"
#include "waiting.hpp"

namespace hardwork::py {

namespace {

bool over(const FutureFields& own) {
    return own.state == FutureState::cancelled || own.state == FutureState::notified ||
           own.state == FutureState::finished;
}

// Looks without waiting. -1 with an error.
int look(PyObject* self) {
    FutureFields& own = fields(self);
    if (!awaits_task(own)) return 0;
    Engine& engine = **own.engine;
    if (!engine.is_done(own.task)) {
        engine.poll();
        if (!engine.is_done(own.task)) return 0;
    }
    return resolve(self);
}

PyObject* base_method(const char* name, PyObject* self, PyObject* argument) {
    const Ref method(PyObject_GetAttrString(state.base_future, name));
    if (!method) return nullptr;
    return argument != nullptr ? PyObject_CallFunctionObjArgs(method.get(), self, argument, nullptr)
                               : PyObject_CallOneArg(method.get(), self);
}

// Waits and resolves; returns false with an error set.
bool settle(PyObject* self, PyObject* timeout) {
    FutureFields& own = fields(self);
    if (over(own)) return true;
    std::uint64_t deadline;
    if (!deadline_of(timeout, deadline)) return false;
    const EngineRef engine = *own.engine;
    switch (wait_for_task(engine, own.task, deadline)) {
        case Waited::done:
            if (resolve(self) < 0) return false;
            await_callbacks(self);
            return true;
        case Waited::timeout: PyErr_SetNone(PyExc_TimeoutError); return false;
        case Waited::raised: break;
    }
    return false;
}

// The one argument, by place or by that name; nullptr if there is none. False, without an error, for any other call.
bool only_argument(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, const char* name, PyObject*& value) {
    const Py_ssize_t named = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
    value = count + named == 0 ? nullptr : args[0];
    if (count + named > 1) return false;
    return named == 0 || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), name) == 0;
}

bool timeout_argument(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject*& timeout) {
    if (only_argument(args, count, kwnames, "timeout", timeout)) return true;
    PyErr_SetString(PyExc_TypeError, "expected at most one argument: timeout (seconds, or None)");
    return false;
}

PyObject* future_result(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* timeout;
    if (!timeout_argument(args, count, kwnames, timeout)) return nullptr;
    FutureFields& own = fields(self);
    if (own.task == nullptr && !over(own)) return base_method("result", self, timeout);
    if (!settle(self, timeout)) return nullptr;
    if (own.state != FutureState::finished) {
        PyErr_SetNone(state.cancelled_error);
        return nullptr;
    }
    if (own.is_error) {
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(own.value)), own.value);
        return nullptr;
    }
    return Py_NewRef(own.value != nullptr ? own.value : Py_None);
}

PyObject* future_exception(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* timeout;
    if (!timeout_argument(args, count, kwnames, timeout)) return nullptr;
    FutureFields& own = fields(self);
    if (own.task == nullptr && !over(own)) return base_method("exception", self, timeout);
    if (!settle(self, timeout)) return nullptr;
    if (own.state != FutureState::finished) {
        PyErr_SetNone(state.cancelled_error);
        return nullptr;
    }
    return Py_NewRef(own.is_error ? own.value : Py_None);
}

PyObject* future_done(PyObject* self, PyObject*) {
    if (look(self) < 0) return nullptr;
    return PyBool_FromLong(over(fields(self)));
}

PyObject* future_cancelled(PyObject* self, PyObject*) {
    if (look(self) < 0) return nullptr;
    const FutureState now = fields(self).state;
    return PyBool_FromLong(now == FutureState::cancelled || now == FutureState::notified);
}

PyObject* future_running(PyObject* self, PyObject*) {
    if (look(self) < 0) return nullptr;
    FutureFields& own = fields(self);
    if (own.state == FutureState::running_by_hand) Py_RETURN_TRUE;
    if (own.state != FutureState::pending || own.task == nullptr) Py_RETURN_FALSE;
    return PyBool_FromLong((*own.engine)->is_running(own.task));
}

PyObject* future_cancel(PyObject* self, PyObject*) {
    FutureFields& own = fields(self);
    if (look(self) < 0) return nullptr;
    if (own.task == nullptr && !over(own)) return base_method("cancel", self, nullptr);
    if (own.state == FutureState::cancelled || own.state == FutureState::notified) Py_RETURN_TRUE;
    if (own.state != FutureState::pending || !(*own.engine)->cancel(own.task)) Py_RETURN_FALSE;
    if (resolve(self) < 0) return nullptr;
    if (!own.called) run_callbacks(self);  // as the standard library: in the thread that cancels
    Py_RETURN_TRUE;
}

// One that this pool has cancelled is notified at once: who asks hears what the original says the first time.
PyObject* future_set_running(PyObject* self, PyObject*) {
    if (look(self) < 0) return nullptr;
    if (fields(self).task != nullptr && fields(self).state == FutureState::notified) Py_RETURN_FALSE;
    return base_method("set_running_or_notify_cancel", self, nullptr);
}

PyObject* future_stop(PyObject* self, PyObject*) {
    const Ref cancelled(PyObject_CallMethod(self, "cancel", nullptr));
    if (!cancelled || cancelled.get() == Py_True) return Py_XNewRef(cancelled.get());
    FutureFields& own = fields(self);
    if (!awaits_task(own)) Py_RETURN_FALSE;
    return PyBool_FromLong((*own.engine)->stop(own.task));
}

PyObject* future_add_done_callback(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* callback;
    if (!only_argument(args, count, kwnames, "fn", callback) || callback == nullptr) {
        PyErr_SetString(PyExc_TypeError, "add_done_callback() takes one argument: fn");
        return nullptr;
    }
    FutureFields& own = fields(self);
    Extra* extra = extra_of(self);
    if (extra == nullptr) return nullptr;
    if (extra->callbacks == nullptr && (extra->callbacks = PyList_New(0)) == nullptr) return nullptr;
    if (!over(own)) {
        if (PyList_Append(extra->callbacks, callback) < 0) return nullptr;
        if (own.task == nullptr || subscribe(self)) Py_RETURN_NONE;
        // Done meanwhile, and nobody will announce it.
        if (resolve(self) < 0) return nullptr;
        const Py_ssize_t last = PyList_GET_SIZE(extra->callbacks) - 1;
        if (PyList_SetSlice(extra->callbacks, last, last + 1, nullptr) < 0) return nullptr;
    }
    const Ref called(PyObject_CallOneArg(callback, self));
    if (!called && !log_callback_error(self)) return nullptr;
    Py_RETURN_NONE;
}

PyObject* future_reduce(PyObject*, PyObject*) {
    PyErr_SetString(PyExc_TypeError, "cannot pickle 'hardwork.Future' object: it stands for work of this process");
    return nullptr;
}

PyObject* get_condition(PyObject* self, void*) {
    return inflate(self) ? Py_NewRef(fields(self).extra->condition) : nullptr;
}
PyObject* get_waiters(PyObject* self, void*) {
    return inflate(self) ? Py_NewRef(fields(self).extra->waiters) : nullptr;
}
PyObject* get_callbacks(PyObject* self, void*) {
    return inflate(self) ? Py_NewRef(fields(self).extra->callbacks) : nullptr;
}

PyObject* get_state(PyObject* self, void*) {
    FutureFields& own = fields(self);
    const bool handed_out = own.extra != nullptr && own.extra->condition != nullptr;
    // Once the condition is out, the state changes under it only, and with the waiters told.
    if (!handed_out && look(self) < 0) return nullptr;
    switch (own.state) {
        case FutureState::pending:
            if (own.task != nullptr && (*own.engine)->is_running(own.task)) return Py_NewRef(state.running);
            return Py_NewRef(state.pending);
        case FutureState::running_by_hand: return Py_NewRef(state.running);
        case FutureState::cancelled: return Py_NewRef(state.cancelled);
        case FutureState::notified: return Py_NewRef(state.cancelled_and_notified);
        case FutureState::finished: return Py_NewRef(state.finished);
    }
    return nullptr;
}

int set_state_attribute(PyObject* self, PyObject* value, void*) {
    FutureFields& own = fields(self);
    const std::pair<PyObject*, FutureState> names[] = {{state.pending, FutureState::pending},
                                                       {state.running, FutureState::running_by_hand},
                                                       {state.cancelled, FutureState::cancelled},
                                                       {state.cancelled_and_notified, FutureState::notified},
                                                       {state.finished, FutureState::finished}};
    for (const auto& [name, meaning] : names) {
        if (value == nullptr || !PyUnicode_Check(value) || PyUnicode_Compare(value, name) != 0) continue;
        own.state = meaning;
        // The base class, which sets it, calls the callbacks itself then.
        if (over(own)) own.called = true;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "%R is not a state of a future", value != nullptr ? value : Py_None);
    return -1;
}

PyObject* get_value(PyObject* self, void* want_error) {
    FutureFields& own = fields(self);
    const bool handed_out = own.extra != nullptr && own.extra->condition != nullptr;
    if (!handed_out && look(self) < 0) return nullptr;
    const bool is_it =
        own.state == FutureState::finished && own.value != nullptr && own.is_error == (want_error != nullptr);
    return Py_NewRef(is_it ? own.value : Py_None);
}

int set_value(PyObject* self, PyObject* value, void* is_error) {
    FutureFields& own = fields(self);
    if (value == nullptr) {
        PyErr_SetString(PyExc_AttributeError, "the outcome of a future cannot be deleted");
        return -1;
    }
    // The base class assigns None to the one it does not use.
    if (value == Py_None && own.is_error != (is_error != nullptr)) return 0;
    track(self);
    PyObject* old = own.value;
    own.value = Py_NewRef(value);
    own.is_error = is_error != nullptr && value != Py_None;
    Py_XDECREF(old);
    return 0;
}

int set_list(PyObject* self, PyObject* value, void* which) {
    if (value == nullptr || !PyList_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return -1;
    }
    if (!inflate(self)) return -1;
    Extra* extra = fields(self).extra;
    PyObject*& place = which != nullptr ? extra->waiters : extra->callbacks;
    PyObject* old = place;
    place = Py_NewRef(value);
    Py_XDECREF(old);
    return 0;
}

int marker;  // its address tells the second of two attributes that share a function

}  // namespace

PyMethodDef future_methods[] = {
    {"result", as_method(future_result), METH_FASTCALL | METH_KEYWORDS,
     "result($self, /, timeout=None)\n--\n\nThe call's return value, waited for at most `timeout` seconds (None: as "
     "long "
     "as it takes).\n\nRaises TimeoutError, CancelledError, WorkerDied if the worker died while it ran the call, or "
     "what the call raised."},
    {"exception", as_method(future_exception), METH_FASTCALL | METH_KEYWORDS,
     "exception($self, /, timeout=None)\n--\n\nThe exception that the call raised, or None; waits as result()."},
    {"done", future_done, METH_NOARGS, "done($self, /)\n--\n\nTrue if the call was cancelled or has ended."},
    {"cancelled", future_cancelled, METH_NOARGS, "cancelled($self, /)\n--\n\nTrue if the call was cancelled."},
    {"running", future_running, METH_NOARGS,
     "running($self, /)\n--\n\nTrue if a worker has started the call and has not ended it."},
    {"stop", future_stop, METH_NOARGS,
     "stop($self, /)\n--\n\nEnds the task, also while it runs: cancels it if it has not started. In a running one "
     "TaskStopped is raised; if\nit has not ended after the grace of its options (default 0.5 s), its worker is killed "
     "and replaced.\n\nDoes not wait for the end. Returns False if it is done already."},
    {"cancel", future_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\nTrue if the call will never run; False if it runs or has ended."},
    {"set_running_or_notify_cancel", future_set_running, METH_NOARGS,
     "set_running_or_notify_cancel($self, /)\n--\n\nFor executors and tests: False if the call was cancelled; else "
     "marks "
     "it as running."},
    {"add_done_callback", as_method(future_add_done_callback), METH_FASTCALL | METH_KEYWORDS,
     "add_done_callback($self, /, fn)\n--\n\nCalls fn(future) when the call has ended or was cancelled, at once if it "
     "has."},
    {"__reduce__", future_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef future_attributes[] = {
    {"_condition", get_condition, nullptr, nullptr, nullptr},
    {"_waiters", get_waiters, set_list, nullptr, &marker},
    {"_done_callbacks", get_callbacks, set_list, nullptr, nullptr},
    {"_state", get_state, set_state_attribute, nullptr, nullptr},
    {"_result", get_value, set_value, nullptr, nullptr},
    {"_exception", get_value, set_value, nullptr, &marker},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

}  // namespace hardwork::py
