// The memory of a Future, for the files that implement it.
#pragma once

#include "future.hpp"

namespace hardwork::py {

enum class FutureState : std::uint8_t { pending, running_by_hand, cancelled, notified, finished };

// Made when somebody looks at it: most futures never need it.
struct Extra {
    PyObject* condition = nullptr;  // threading.Condition, once handed out
    PyObject* waiters = nullptr;    // list
    PyObject* callbacks = nullptr;  // list
    bool announced = false;         // the collector has called them
};

struct FutureFields {
    EngineRef* engine;  // one pointer instead of the two of a shared_ptr: shared by all futures of an executor
    Task* task;         // nullptr: made by hand, or failed before it was a task
    PyObject* value;    // result or exception, once resolved
    Extra* extra;
    FutureState state;
    bool is_error;
    std::uint16_t decoding;  // threads that read the task's bytes: decoding may run Python code, and so let others in
    bool subscribed;         // the collector holds a reference and will announce it
    bool called;             // callbacks have been run
    bool in_cell;            // its memory is of `cells`, not of the interpreter
};

// Whether its task is still to say how it ends: that is not known yet, and nobody has set it by hand.
inline bool awaits_task(const FutureFields& own) {
    return own.task != nullptr && (own.state == FutureState::pending || own.state == FutureState::running_by_hand);
}

extern Py_ssize_t future_offset;  // where the fields begin: behind the base class's

inline FutureFields& fields(PyObject* self) {
    return *reinterpret_cast<FutureFields*>(reinterpret_cast<char*>(self) + future_offset);
}

Extra* extra_of(PyObject* self);  // nullptr with MemoryError
bool subscribe(PyObject* self);   // false if the task is already done (or there is none)
bool inflate(PyObject* self);     // makes condition and lists, subscribes; false with an error
int resolve(PyObject* self);      // of a future whose task is done; -1 with an error
void run_callbacks(PyObject* self);
// A callback has raised: logged as the standard library does. False with the error if it is no Exception, or if logging
// raised too.
bool log_callback_error(PyObject* self);
// Of a future that is resolved: gives the collector a moment to call its callbacks. See announcement.cpp.
void await_callbacks(PyObject* self);
void callbacks_returned();

extern PyMethodDef future_methods[];
extern PyGetSetDef future_attributes[];

}  // namespace hardwork::py
