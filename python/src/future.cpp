// The type's memory: birth without the garbage collector, visit, clear, death; and how a done task becomes a value.
#include "cells.hpp"
#include "future_object.hpp"
#include "imap.hpp"
#include "managed_dict.hpp"
#include "pool_result.hpp"
#include "shared_engine.hpp"

namespace hardwork::py {

Py_ssize_t future_offset = 0;

namespace {

Cells cells;

PyObject* future_new(PyTypeObject* type, PyObject*, PyObject*) {
    PyObject* self = type->tp_alloc(type, 0);
    if (self != nullptr) fields(self).state = FutureState::pending;
    return self;
}

int future_init(PyObject*, PyObject*, PyObject*) { return 0; }

int future_traverse(PyObject* self, visitproc visit, void* arg) {
    FutureFields& own = fields(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(own.value);
    if (own.extra != nullptr) {
        Py_VISIT(own.extra->condition);
        Py_VISIT(own.extra->waiters);
        Py_VISIT(own.extra->callbacks);
    }
    return visit_attributes(self, visit, arg);
}

int future_clear(PyObject* self) {
    FutureFields& own = fields(self);
    if (!awaits_task(own)) Py_CLEAR(own.value);
    if (own.extra != nullptr) {
        Py_CLEAR(own.extra->waiters);
        Py_CLEAR(own.extra->callbacks);
        Py_CLEAR(own.extra->condition);
    }
    clear_attributes(self);
    return 0;
}

void future_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    FutureFields& own = fields(self);
    if (own.task != nullptr) {
        Engine& engine = **own.engine;
        if (engine.in_owner_process()) engine.release(own.task);
    }
    if (own.engine != nullptr) unshare(own.engine);
    Py_XDECREF(own.value);
    if (own.extra != nullptr) {
        Py_XDECREF(own.extra->condition);
        Py_XDECREF(own.extra->waiters);
        Py_XDECREF(own.extra->callbacks);
        delete own.extra;
    }
    clear_attributes(self);
    if (own.in_cell) {
        cells.put_back(self);
    } else {
        PyObject_GC_Del(self);
    }
    Py_DECREF(type);
}

int future_setattro(PyObject* self, PyObject* name, PyObject* value) {
    track(self);
    return PyObject_GenericSetAttr(self, name, value);
}

// As the engine makes them: not by a call of the type.
PyObject* allocate() {
    PyObject* self = cells.take();
    if (self == nullptr) return allocate_untracked(state.future_type);
    fields(self).in_cell = true;
    return self;
}

}  // namespace

PyObject* new_future(const EngineRef& engine, Task* task) {
    PyObject* self = allocate();
    if (self == nullptr) {
        engine->release(task);
        return nullptr;
    }
    FutureFields& own = fields(self);
    own.engine = share(engine);
    own.task = task;
    return self;
}

PyObject* new_failed_future() {
    PyObject* value = take_error();
    PyObject* self = allocate();
    if (self == nullptr) {
        Py_XDECREF(value);
        return nullptr;
    }
    FutureFields& own = fields(self);
    own.value = value;
    own.is_error = true;
    own.state = FutureState::finished;
    track(self);
    return self;
}

Extra* extra_of(PyObject* self) {
    FutureFields& own = fields(self);
    if (own.extra == nullptr) {
        own.extra = new (std::nothrow) Extra;
        if (own.extra == nullptr) PyErr_NoMemory();
        track(self);
    }
    return own.extra;
}

bool subscribe(PyObject* self) {
    FutureFields& own = fields(self);
    if (own.subscribed) return true;
    if (!awaits_task(own)) return false;
    own.subscribed = true;
    Py_INCREF(self);
    if ((*own.engine)->subscribe(own.task, self)) return true;
    own.subscribed = false;
    Py_DECREF(self);
    return false;
}

bool inflate(PyObject* self) {
    FutureFields& own = fields(self);
    Extra* extra = extra_of(self);
    if (extra == nullptr) return false;
    if (extra->condition != nullptr) return true;
    // Before the condition is seen by anybody: a task that is done already is resolved without it.
    if (awaits_task(own) && (*own.engine)->is_done(own.task)) {
        if (resolve(self) < 0) return false;
    }
    if (extra->waiters == nullptr) extra->waiters = PyList_New(0);
    if (extra->callbacks == nullptr) extra->callbacks = PyList_New(0);
    if (extra->waiters == nullptr || extra->callbacks == nullptr) return false;
    PyObject* condition = PyObject_CallNoArgs(state.condition);
    if (condition == nullptr) return false;
    if (extra->condition != nullptr) {  // making it ran Python: somebody else was faster
        Py_DECREF(condition);
        return true;
    }
    extra->condition = condition;
    if (!subscribe(self) && awaits_task(own)) return resolve(self) == 0;
    return true;
}

namespace {

// Tells those whom concurrent.futures.wait and as_completed put there; the condition is held.
int tell_waiters(PyObject* self, FutureFields& own) {
    const char* name = own.state != FutureState::finished ? "add_cancelled"
                       : own.is_error                     ? "add_exception"
                                                          : "add_result";
    const Ref waiters(PySequence_List(own.extra->waiters));
    if (!waiters) return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(waiters.get()); ++i) {
        const Ref done(PyObject_CallMethod(PyList_GET_ITEM(waiters.get(), i), name, "O", self));
        if (!done) return -1;
    }
    const Ref notified(PyObject_CallMethod(own.extra->condition, "notify_all", nullptr));
    return notified ? 0 : -1;
}

}  // namespace

int resolve(PyObject* self) {
    FutureFields& own = fields(self);
    if (!awaits_task(own)) return 0;
    Engine& engine = **own.engine;
    const TaskResult result = engine.result(own.task);
    bool is_error = false;
    PyObject* value = nullptr;
    const bool cancelled = result.ending == Ending::cancelled;
    if (!cancelled) {
        ++own.decoding;
        value = decode_ending(engine, result, is_error);  // may run Python code, and so another resolve
        --own.decoding;
        if (value == nullptr) return -1;
    }
    const Ref condition = Ref::borrow(own.extra != nullptr ? own.extra->condition : nullptr);
    if (condition) {
        const Ref entered(PyObject_CallMethod(condition.get(), "acquire", nullptr));
        if (!entered) {
            Py_XDECREF(value);
            return -1;
        }
    }
    int outcome = 0;
    if (awaits_task(own)) {
        own.value = value;
        own.is_error = is_error;
        own.state = cancelled ? FutureState::notified : FutureState::finished;
        if (value != nullptr && PyObject_IS_GC(value)) track(self);
        value = nullptr;
        // Who keeps the future keeps the value, and not what it was made from besides.
        if (own.decoding == 0 && result.bytes.size() > kSmallResult) engine.drop_result(own.task);
        if (condition) outcome = tell_waiters(self, own);
    }
    Py_XDECREF(value);
    if (condition) {
        PyObject *type, *error, *traceback;
        PyErr_Fetch(&type, &error, &traceback);
        const Ref left(PyObject_CallMethod(condition.get(), "release", nullptr));
        if (type != nullptr) PyErr_Restore(type, error, traceback);
    }
    return outcome;
}

bool log_callback_error(PyObject* self) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
    const Ref error(take_error());
    const Ref method(PyObject_GetAttrString(state.logger, "error"));
    const Ref arguments(Py_BuildValue("(sO)", "exception calling callback for %r", self));
    const Ref keywords(Py_BuildValue("{sO}", "exc_info", error.get()));
    if (!method || !arguments || !keywords) return false;
    const Ref logged(PyObject_Call(method.get(), arguments.get(), keywords.get()));
    return static_cast<bool>(logged);
}

void run_callbacks(PyObject* self) {
    FutureFields& own = fields(self);
    own.called = true;
    if (own.extra == nullptr || own.extra->callbacks == nullptr) return;
    const Ref callbacks(PySequence_List(own.extra->callbacks));
    for (Py_ssize_t i = 0; callbacks && i < PyList_GET_SIZE(callbacks.get()); ++i) {
        const Ref done(PyObject_CallOneArg(PyList_GET_ITEM(callbacks.get(), i), self));
        if (done) continue;
        if (!log_callback_error(self)) PyErr_WriteUnraisable(self);
    }
}

void announce(std::span<void* const> futures) {
    for (void* cookie : futures) {
        auto* self = static_cast<PyObject*>(cookie);
        if (Py_TYPE(self) == state.result_type) {
            announce_result(self);
            continue;
        }
        if (Py_TYPE(self) == state.imap_type) {
            send_gathered(self);
            continue;
        }
        FutureFields& own = fields(self);
        if (resolve(self) < 0) PyErr_WriteUnraisable(self);
        own.subscribed = false;
        if (!own.called) run_callbacks(self);
        if (own.extra != nullptr) own.extra->announced = true;
        callbacks_returned();
        Py_DECREF(self);
    }
}

int make_future_type(PyObject* module) {
    auto* base = reinterpret_cast<PyTypeObject*>(state.base_future);
    constexpr Py_ssize_t alignment = alignof(FutureFields);
    future_offset = (base->tp_basicsize + alignment - 1) / alignment * alignment;
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("Future()\n--\n\nThe result of a call that runs, ran or will run in a worker "
                                      "process; a concurrent.futures.Future (PEP 3148) that stays small until "
                                      "somebody waits for it or adds a callback.")},
        {Py_tp_new, reinterpret_cast<void*>(future_new)},
        {Py_tp_init, reinterpret_cast<void*>(future_init)},
        {Py_tp_dealloc, reinterpret_cast<void*>(future_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(future_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(future_clear)},
        {Py_tp_setattro, reinterpret_cast<void*>(future_setattro)},
        {Py_tp_methods, future_methods},
        {Py_tp_getset, future_attributes},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.Future",
                        static_cast<int>(future_offset) + static_cast<int>(sizeof(FutureFields)), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
    PyObject* type = PyType_FromSpecWithBases(&spec, state.base_future);
    if (type == nullptr) return -1;
    state.future_type = reinterpret_cast<PyTypeObject*>(type);
    without_inline_attributes(state.future_type);
    cells.serve(state.future_type);
    return PyModule_AddObjectRef(module, "Future", type);
}

}  // namespace hardwork::py
