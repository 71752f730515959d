// hardwork.AsyncResult: a multiprocessing.pool.AsyncResult without event, cache entry and lock until somebody needs one.
//
//   PENDING --task done (a map: all items), looked at or announced--> READY --callback returned--> ANNOUNCED
//
// Without callbacks READY is the end, and who looks first decodes the value. With one, ready(), wait() and get() hold
// out for ANNOUNCED, as the original does: whoever has the result may count on what the callback has done.
#pragma once

#include "core.hpp"
#include "map_reader.hpp"

namespace hardwork::py {

struct MapPart {
    MapReader reader;
    PyObject* list;  // filled as results come
    Py_ssize_t length;
    Py_ssize_t got;
    PyObject* error;  // the first one
};

struct Calls {
    EngineRef* engine = nullptr;
    PyObject* callback = nullptr;
    PyObject* error_callback = nullptr;
    PyObject* event = nullptr;  // threading.Event, made by who waits
    bool announced = false;
};

inline constexpr int kNumberBits = 42;

// 40 bytes: with what the interpreter adds 96, and each byte has to be cleared by the system before it is first used.
struct PoolResult {
    PoolResult** link;  // what points here in the list of those that are not ready; nullptr: in none
    union {
        PoolResult* older;  // until ready: the next of that list
        PyObject* value;    // once ready: result or exception
    };
    union {
        EngineRef* only_engine;
        Calls* calls;  // if calls_back
    };
    union {
        Task* task;    // nullptr: a call that failed before it was a task
        MapPart* map;  // if is_map
    };
    std::uint64_t number : kNumberBits;
    bool is_map : 1;
    bool calls_back : 1;
    bool ready : 1;
    bool is_error : 1;
    bool in_cell : 1;             // its memory is of `cells`, not of the interpreter
    bool stopped : 1;             // by stop(): if it never ran, that is why
    std::uint64_t decoding : 16;  // as FutureFields::decoding

    EngineRef* engine() const { return calls_back ? calls->engine : only_engine; }
    Calls* callbacks() const { return calls_back ? calls : nullptr; }
};
static_assert(sizeof(PoolResult) == 40);

extern Py_ssize_t result_offset;  // where the fields begin: behind the base class's

inline PoolResult& result_fields(PyObject* self) {
    return *reinterpret_cast<PoolResult*>(reinterpret_cast<char*>(self) + result_offset);
}

int make_result_type(PyObject* module);

// callback and error_callback may be None. All three return nullptr with an error; the handle is released then.
PyObject* new_task_result(Core* core, Task* task, PyObject* callback, PyObject* error_callback);
PyObject* new_map_result(Core* core, Job* job, PyObject* errors, Py_ssize_t length, PyObject* callback,
                         PyObject* error_callback);
// Takes the current Python error.
PyObject* new_failed_result(Core* core, PyObject* callback, PyObject* error_callback);

// Decodes what is done; for a map, what has come of it, waiting for the rest until the deadline.
Waited settle_result(PyObject* self, std::uint64_t deadline);
// Whether a user would see it as ready; looks, without waiting. -1 with an error.
int look_at_result(PyObject* self);
// From the collector: it is done. Takes a reference over.
void announce_result(PyObject* self);

// Those that are not ready. New reference.
PyObject* pending_results(Core* core);
// The pool is gone; its results stay.
void forget_results(Core* core);

extern PyMethodDef result_methods[];
extern PyGetSetDef result_attributes[];

}  // namespace hardwork::py
