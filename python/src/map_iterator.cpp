#include "map_iterator.hpp"

#include <vector>

#include "future.hpp"
#include "payload.hpp"

namespace hardwork::py {

namespace {

// What has come is decoded as much at a time, with the garbage collector held off: a list of a million small lists would
// else be walked again and again while it grows, for garbage that cannot be there.
constexpr std::size_t kMostAhead = 8192;
constexpr std::size_t kMostBytesAhead = std::size_t{1} << 20;

struct MapIterator {
    PyObject_HEAD EngineRef engine;
    Job* job;  // nullptr once it has ended
    PyObject* errors;
    std::uint64_t item;  // number of the next result
    std::uint64_t deadline;
    ResultBlock block;
    std::vector<PyObject*> ahead;  // decoded, not yet asked for, from `next` on
    std::size_t next;
    TaskResult held;  // comes after those, if holds
    bool holds;
};

MapIterator* cast(PyObject* self) { return reinterpret_cast<MapIterator*>(self); }

// What has not started never will; what is under way is let go.
void end(MapIterator* self) {
    Job* job = std::exchange(self->job, nullptr);
    if (job == nullptr) return;
    self->engine->cancel_rest(job);
    self->engine->release_job(job);
    self->holds = false;
    self->block = ResultBlock{};
}

void drop_ahead(MapIterator* self) {
    std::vector<PyObject*> rest;
    rest.swap(self->ahead);
    for (std::size_t i = std::exchange(self->next, 0); i < rest.size(); ++i)
        Py_DECREF(rest[i]);
}

// Decodes what the block has in our own code, up to the first result that is anything else. That runs no Python code
// and keeps the GIL. False if the block is used up and nothing was decoded.
bool decode_ahead(MapIterator* self) {
    self->ahead.clear();
    self->next = 0;
    const int collects = PyGC_Disable();
    std::size_t bytes = 0;
    TaskResult result;
    while (self->ahead.size() < kMostAhead && bytes < kMostBytesAhead && self->block.next(result)) {
        const bool plain = result.ending == Ending::value && !result.bytes.empty() && result.bytes[0] == kCodec;
        PyObject* value = plain ? load_value(result.bytes) : nullptr;
        if (value == nullptr) {
            PyErr_Clear();  // it will be raised in its place
            self->held = result;
            self->holds = true;
            break;
        }
        bytes += result.bytes.size();
        self->ahead.push_back(value);
    }
    if (collects == 1) PyGC_Enable();
    return !self->ahead.empty() || self->holds;
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
    for (;;) {
        if (self->next < self->ahead.size()) [[likely]] {
            ++self->item;
            return self->ahead[self->next++];
        }
        if (self->job == nullptr) return nullptr;
        if (std::exchange(self->holds, false)) return deliver(self, self->held);
        if (!self->engine->in_owner_process()) {
            PyErr_SetString(PyExc_RuntimeError, "this map belongs to a pool of another process");
            return nullptr;
        }
        if (decode_ahead(self)) continue;
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
    drop_ahead(cast(self));
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
    for (std::size_t i = cast(self)->next; i < cast(self)->ahead.size(); ++i)
        Py_VISIT(cast(self)->ahead[i]);
    return 0;
}

int map_clear(PyObject* self) {
    Py_CLEAR(cast(self)->errors);
    drop_ahead(cast(self));
    return 0;
}

void map_dealloc(PyObject* object) {
    MapIterator* self = cast(object);
    PyTypeObject* type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    end(self);
    Py_CLEAR(self->errors);
    drop_ahead(self);
    self->ahead.~vector();
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
    new (&self->ahead) std::vector<PyObject*>;
    new (&self->held) TaskResult;
    self->next = 0;
    self->holds = false;
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
