#include "map_iterator.hpp"

#include "map_reader.hpp"

namespace hardwork::py {

namespace {

struct MapIterator {
    PyObject_HEAD MapReader* reader;
    std::uint64_t deadline;
};

MapIterator* cast(PyObject* self) { return reinterpret_cast<MapIterator*>(self); }

PyObject* map_next(PyObject* self) {
    MapReader& reader = *cast(self)->reader;
    PyObject* object = reader.at_hand();
    if (object != nullptr) [[likely]]
        return object;
    const Ref alive = Ref::borrow(self);  // while it waits, another thread may drop it
    switch (reader.next(cast(self)->deadline, object)) {
        case MapReader::Step::value: return object;
        case MapReader::Step::end:
        case MapReader::Step::raised: return nullptr;
        case MapReader::Step::timeout:
            reader.end();
            PyErr_SetNone(PyExc_TimeoutError);
            return nullptr;
        case MapReader::Step::error: break;
    }
    // As the standard library's generator: it ends with the first exception, and the rest is cancelled.
    reader.end();
    const Ref error(object);
    if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    return nullptr;
}

PyObject* map_close(PyObject* self, PyObject*) {
    cast(self)->reader->end();
    cast(self)->reader->clear();
    Py_RETURN_NONE;
}

PyObject* map_set_timeout(PyObject* self, PyObject* seconds) {
    return deadline_of(seconds, cast(self)->deadline) ? Py_NewRef(Py_None) : nullptr;
}

int map_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return cast(self)->reader->traverse(visit, arg);
}

int map_clear(PyObject* self) {
    cast(self)->reader->clear();
    return 0;
}

void map_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    delete cast(self)->reader;
    PyObject_GC_Del(self);
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
    auto* reader = new MapReader(engine, job, errors, Face::executor);
    MapIterator* self = PyObject_GC_New(MapIterator, state.map_type);
    if (self == nullptr) {
        delete reader;
        return nullptr;
    }
    self->reader = reader;
    self->deadline = kNoDeadline;
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
