// The maps of ExecutorCore: input in, iterator out.
#include "limits.hpp"
#include "map_input.hpp"
#include "map_iterator.hpp"

namespace hardwork::py {

PyObject* core_map_range(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "_core_map_range(fn, start, step, count, limits)");
        return nullptr;
    }
    const long long start = PyLong_AsLongLong(args[1]);
    const long long step = PyLong_AsLongLong(args[2]);
    const unsigned long long items = PyLong_AsUnsignedLongLong(args[3]);
    JobOptions options;
    if (PyErr_Occurred() || !limits_number(self, args[4], options.limits)) return nullptr;
    Job* job = start_range(self, args[0], start, step, items, options);
    return job != nullptr ? new_map_iterator(core_of(self)->engine, job, nullptr) : nullptr;
}

PyObject* core_map_items(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 4 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "_core_map_items(fn, items: list, single: bool, limits), tuples unless single");
        return nullptr;
    }
    JobOptions options;
    if (!limits_number(self, args[3], options.limits)) return nullptr;
    Ref errors;
    Job* job = start_items(self, args[0], args[1], args[2] == Py_True ? Shape::single : Shape::tuples, options, errors);
    return job != nullptr ? new_map_iterator(core_of(self)->engine, job, errors.get()) : nullptr;
}

}  // namespace hardwork::py
