// hardwork._engine.Limits: what a view that Executor.options or Pool.options has given knows of its tasks.
#pragma once

#include "core.hpp"

namespace hardwork::py {

int make_limits_type(PyObject* module);

// The engine's number of them, for tasks of that core, which is started if need be; of None 0. False with a Python error.
bool limits_number(PyObject* core, PyObject* limits, std::uint32_t& number);

// submit of an executor and apply_async of a Pool; limits may be nullptr.
PyObject* submit_limited(PyObject* core, PyObject* limits, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* apply_async_limited(PyObject* core, PyObject* limits, PyObject* const* args, Py_ssize_t count,
                              PyObject* kwnames);

// In a worker, at the stop signal: raises in the task, if it is to end.
PyObject* raise_if_stopped(PyObject* module, PyObject* args);

}  // namespace hardwork::py
