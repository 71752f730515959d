// hardwork.Future: a concurrent.futures.Future of 96 bytes (3.11), with condition and lists only once somebody looks.
//
//   PENDING --task done, looked at or announced--> FINISHED     (value or exception decoded then)
//      \----cancel() took the task back----------> CANCELLED_AND_NOTIFIED
//
// Two things happen when a task is done: the future is *resolved* (its value is decoded; by whoever looks first) and,
// if somebody subscribed, *announced* (waiters and callbacks; by the engine's collector alone). A future whose
// _condition was handed out is resolved under that condition together with telling its waiters, because
// concurrent.futures.wait counts on both changing at once.
#pragma once

#include "state.hpp"

namespace hardwork::py {

int make_future_type(PyObject* module);

// A future of a task; takes the task's handle. nullptr with an error (the handle is released then).
PyObject* new_future(const EngineRef& engine, Task* task);
// A future that has failed before it became a task: takes the current Python error.
PyObject* new_failed_future();

// Whether this thread is the collector of some pool, and calls callbacks.
bool runs_callbacks();

// From the collector: these futures (one reference each, taken over) are done. GIL held.
void announce(std::span<void* const> futures);

// Whose exceptions a user expects to see where the standard library has two of a kind.
enum class Face : std::uint8_t { executor, pool };

// What a task's result means in Python. New reference; is_error: it is an exception to raise.
PyObject* decode_ending(Engine& engine, const TaskResult& result, bool& is_error, Face face = Face::executor);

}  // namespace hardwork::py
