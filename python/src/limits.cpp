#include "limits.hpp"

namespace hardwork::py {

namespace {

struct Limits {
    PyObject_HEAD PyObject* core;
    EngineRef engine;  // that knows the number; empty before the first task
    TaskLimits limits;
    std::uint32_t number;
};

Limits* limits_of(PyObject* self) { return reinterpret_cast<Limits*>(self); }

PyObject* limits_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    PyObject* core;
    unsigned long long timeout;
    unsigned long long grace;
    unsigned int retries;
    if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) != 0) {
        PyErr_SetString(PyExc_TypeError, "Limits() takes no keyword arguments");
        return nullptr;
    }
    if (!PyArg_ParseTuple(args, "O!KKI:Limits", state.core_type, &core, &timeout, &grace, &retries)) return nullptr;
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) return nullptr;
    Limits* own = limits_of(self);
    new (&own->engine) EngineRef();
    own->limits = {timeout, grace, retries};
    own->core = Py_NewRef(core);
    return self;
}

int limits_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(limits_of(self)->core);
    return 0;
}

int limits_clear(PyObject* self) {
    Py_CLEAR(limits_of(self)->core);
    return 0;
}

void limits_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Limits* own = limits_of(self);
    if (own->engine != nullptr) own->engine->release_limits(own->number);
    own->engine.~EngineRef();
    Py_XDECREF(own->core);
    type->tp_free(self);
    Py_DECREF(type);
}

// nullptr with a Python error once the collector has taken it apart.
PyObject* core_behind(PyObject* self) {
    PyObject* core = limits_of(self)->core;
    if (core == nullptr) PyErr_SetString(PyExc_RuntimeError, "the pool is gone");
    return core;
}

PyObject* limits_submit(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* core = core_behind(self);
    return core != nullptr ? submit_limited(core, self, args, count, kwnames) : nullptr;
}

PyObject* limits_apply_async(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    PyObject* core = core_behind(self);
    return core != nullptr ? apply_async_limited(core, self, args, count, kwnames) : nullptr;
}

PyMethodDef methods[] = {
    {"submit", as_method(limits_submit), METH_FASTCALL | METH_KEYWORDS,
     "submit($self, fn, /, *args, **kwargs)\n--\n\nAs the executor's, with these limits."},
    {"apply_async", as_method(limits_apply_async), METH_FASTCALL | METH_KEYWORDS,
     "apply_async($self, func, args=(), kwds={}, callback=None, error_callback=None)\n--\n\n"
     "As the pool's, with these limits."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

bool limits_number(PyObject* core, PyObject* limits, std::uint32_t& number) {
    number = 0;
    if (limits == Py_None) return true;
    if (Py_TYPE(limits) != state.limits_type || limits_of(limits)->core != core) {
        PyErr_SetString(PyExc_TypeError, "the limits are those of another pool");
        return false;
    }
    Limits* own = limits_of(limits);
    if (own->engine == nullptr) [[unlikely]] {
        if (!ensure_started(core)) return false;
        own->number = core_of(core)->engine->limits(own->limits);
        if (own->number == 0 && own->limits != TaskLimits{}) {
            PyErr_SetString(PyExc_RuntimeError, "65,535 different options are in use already");
            return false;
        }
        own->engine = core_of(core)->engine;
    }
    number = own->number;
    return true;
}

PyObject* raise_if_stopped(PyObject*, PyObject*) {
    const StopReason reason = stop_requested();
    if (reason == StopReason::none) Py_RETURN_NONE;
    if (load_pickling() == 0) {
        switch (reason) {
            case StopReason::timeout:
                PyErr_SetString(state.task_timeout, "the task ran longer than its time limit");
                break;
            case StopReason::memory:
                PyErr_SetString(state.memory_exceeded, "the task's worker has more than twice max_memory_per_worker");
                break;
            case StopReason::request:
            case StopReason::none: PyErr_SetString(state.task_stopped, "the task was stopped"); break;
        }
    }
    return nullptr;
}

int make_limits_type(PyObject* module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("Limits(core, timeout_ns, grace_ns, retries, /)\n--\n\n"
                                      "What tasks of a pool may use up; 0 for no timeout.")},
        {Py_tp_new, reinterpret_cast<void*>(limits_new)},
        {Py_tp_dealloc, reinterpret_cast<void*>(limits_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(limits_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(limits_clear)},
        {Py_tp_methods, methods},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.Limits", sizeof(Limits), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
    PyObject* type = PyType_FromSpec(&spec);
    if (type == nullptr) return -1;
    state.limits_type = reinterpret_cast<PyTypeObject*>(type);
    return PyModule_AddObjectRef(module, "Limits", type);
}

}  // namespace hardwork::py
