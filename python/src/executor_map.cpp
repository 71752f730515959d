// The maps of ExecutorCore: input in, iterator out.
#include "map_input.hpp"
#include "map_iterator.hpp"

namespace hardwork::py {

PyObject* core_map_range(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "_core_map_range(fn, start, step, count)");
        return nullptr;
    }
    const long long start = PyLong_AsLongLong(args[1]);
    const long long step = PyLong_AsLongLong(args[2]);
    const unsigned long long items = PyLong_AsUnsignedLongLong(args[3]);
    if (PyErr_Occurred()) return nullptr;
    Job* job = start_range(self, args[0], start, step, items, {});
    return job != nullptr ? new_map_iterator(core_of(self)->engine, job, nullptr) : nullptr;
}

PyObject* core_map_items(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 3 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "_core_map_items(fn, items: list, single: bool), tuples unless single");
        return nullptr;
    }
    Ref errors;
    Job* job = start_items(self, args[0], args[1], args[2] == Py_True ? Shape::single : Shape::tuples, {}, errors);
    return job != nullptr ? new_map_iterator(core_of(self)->engine, job, errors.get()) : nullptr;
}

}  // namespace hardwork::py
