#include "map_iterator.hpp"

#include "future.hpp"

namespace hardwork::py {

namespace {

struct MapIterator {
    PyObject_HEAD EngineRef engine;
    Job* job;  // nullptr once it has ended
    PyObject* errors;
    std::uint64_t item;  // number of the next result
    std::uint64_t deadline;
    ResultBlock block;
};

MapIterator* cast(PyObject* self) { return reinterpret_cast<MapIterator*>(self); }

// What has not started never will; what is under way is let go.
void end(MapIterator* self) {
    Job* job = std::exchange(self->job, nullptr);
    if (job == nullptr) return;
    self->engine->cancel_rest(job);
    self->engine->release_job(job);
    self->block = ResultBlock{};
}

PyObject* deliver(MapIterator* self, const TaskResult& result) {
    const std::uint64_t item = self->item++;
    if (result.ending == Ending::value) [[likely]] {
        bool is_error = false;
        PyObject* value = decode_ending(*self->engine, result, is_error);
        if (!is_error) return value;
        end(self);
        if (value != nullptr) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(value)), value);
        Py_XDECREF(value);
        return nullptr;
    }
    Ref error;
    if (result.ending == Ending::skipped && self->errors != nullptr) {
        const Ref number(PyLong_FromUnsignedLongLong(item));
        if (number) error = Ref::borrow(PyDict_GetItemWithError(self->errors, number.get()));
    }
    if (!error) {
        bool is_error = false;
        error = Ref(decode_ending(*self->engine, result, is_error));
    }
    // As the standard library's generator: it ends with the first exception, and the rest is cancelled.
    end(self);
    if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    return nullptr;
}

PyObject* map_next(PyObject* object) {
    MapIterator* self = cast(object);
    TaskResult result;
    for (;;) {
        if (self->job == nullptr) return nullptr;
        if (self->block.next(result)) return deliver(self, result);
        switch (self->engine->next_block(self->job, self->block)) {
            case JobState::block: continue;
            case JobState::end: end(self); return nullptr;
            case JobState::cancelled:
                end(self);
                PyErr_SetNone(state.cancelled_error);
                return nullptr;
            case JobState::broken:
                raise_error(Error{Errc::broken, 0, ""}, self->engine.get());
                end(self);
                return nullptr;
            case JobState::pending: break;
        }
        if (!self->engine->in_owner_process()) {
            PyErr_SetString(PyExc_RuntimeError, "this map belongs to a pool of another process");
            return nullptr;
        }
        if (self->engine->spin(self->job)) continue;
        const EngineRef engine = self->engine;
        Job* job = self->job;
        WaitEnd how;
        Py_BEGIN_ALLOW_THREADS how = engine->wait(job, self->deadline);
        Py_END_ALLOW_THREADS if (how == WaitEnd::timeout) {
            end(self);
            PyErr_SetNone(PyExc_TimeoutError);
            return nullptr;
        }
        if (how == WaitEnd::interrupted && PyErr_CheckSignals() < 0) return nullptr;
    }
}

PyObject* map_close(PyObject* self, PyObject*) {
    end(cast(self));
    Py_RETURN_NONE;
}

PyObject* map_set_timeout(PyObject* self, PyObject* seconds) {
    cast(self)->deadline = ~std::uint64_t{0};
    if (seconds == Py_None) Py_RETURN_NONE;
    const double value = PyFloat_AsDouble(seconds);
    if (value == -1.0 && PyErr_Occurred()) return nullptr;
    if (value < 3.0e9)
        cast(self)->deadline = monotonic_ns() + (value > 0 ? static_cast<std::uint64_t>(value * 1e9) : 0);
    Py_RETURN_NONE;
}

int map_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cast(self)->errors);
    return 0;
}

int map_clear(PyObject* self) {
    Py_CLEAR(cast(self)->errors);
    return 0;
}

void map_dealloc(PyObject* object) {
    MapIterator* self = cast(object);
    PyTypeObject* type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    end(self);
    Py_CLEAR(self->errors);
    self->block.~ResultBlock();
    self->engine.~EngineRef();
    PyObject_GC_Del(object);
    Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"close", map_close, METH_NOARGS, "close($self, /)\n--\n\nCancels what has not started; the iterator has ended."},
    {"set_timeout", map_set_timeout, METH_O,
     "set_timeout($self, seconds, /)\n--\n\nSeconds from now after which a missing result raises TimeoutError; None: "
     "never."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyObject* new_map_iterator(const EngineRef& engine, Job* job, PyObject* errors) {
    MapIterator* self = PyObject_GC_New(MapIterator, state.map_type);
    if (self == nullptr) {
        engine->cancel_rest(job);
        engine->release_job(job);
        return nullptr;
    }
    new (&self->engine) EngineRef(engine);
    new (&self->block) ResultBlock;
    self->job = job;
    self->errors = Py_XNewRef(errors);
    self->item = 0;
    self->deadline = ~std::uint64_t{0};
    PyObject_GC_Track(reinterpret_cast<PyObject*>(self));
    return reinterpret_cast<PyObject*>(self);
}

int make_map_type(PyObject* module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("Results of a map in the order of its input. Made by ProcessPoolExecutor.map.")},
        {Py_tp_dealloc, reinterpret_cast<void*>(map_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(map_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(map_clear)},
        {Py_tp_iter, reinterpret_cast<void*>(PyObject_SelfIter)},
        {Py_tp_iternext, reinterpret_cast<void*>(map_next)},
        {Py_tp_methods, methods},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.MapIterator", sizeof(MapIterator), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    PyObject* type = PyType_FromModuleAndSpec(module, &spec, nullptr);
    if (type == nullptr) return -1;
    state.map_type = reinterpret_cast<PyTypeObject*>(type);
    return PyModule_AddObjectRef(module, "MapIterator", type);
}

}  // namespace hardwork::py
