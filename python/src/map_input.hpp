// The input of a map on its way into the engine: a range as numbers, all else item by item.
#pragma once

#include "core.hpp"

namespace hardwork::py {

// What an item is to the function.
enum class Shape {
    single,  // its only argument
    tuples,  // the tuple of its arguments
    star,    // any iterable of its arguments
};

// A tuple of the items of an iterable that shall be a call's arguments; `what` names it to the user. nullptr with a
// Python error.
PyObject* arguments_tuple(PyObject* object, const char* what);

// Both start the engine if need be. nullptr with a Python error. The job is sealed; its handle is the caller's.
Job* start_range(PyObject* core, PyObject* fn, std::int64_t start, std::int64_t step, std::uint64_t items,
                 const JobOptions& options);
// errors: a dict from numbers to exceptions, made if an item cannot be encoded.
Job* start_items(PyObject* core, PyObject* fn, PyObject* list, Shape shape, const JobOptions& options, Ref& errors);

// Starts a job that has no items yet. function: its number, 0 if fn travels with each item.
Job* start_empty(PyObject* core, PyObject* fn, const JobOptions& options, std::uint32_t& function);
// The whole of a range, as spans.
void add_range(Engine& engine, Job* job, std::int64_t start, std::int64_t step, std::uint64_t items);

}  // namespace hardwork::py
