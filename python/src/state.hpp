// What the binding looks up once: types and helpers of the standard library and of hardwork's Python part.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <memory>
#include <utility>

#include "hardwork/engine.hpp"

namespace hardwork::py {

// An owned reference. GIL held wherever one is made or dies.
class Ref {
  public:
    Ref() = default;
    explicit Ref(PyObject* owned) : object_(owned) {}
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref&& other) noexcept {
        PyObject* old = std::exchange(object_, std::exchange(other.object_, nullptr));
        Py_XDECREF(old);
        return *this;
    }
    ~Ref() { Py_XDECREF(object_); }
    static Ref borrow(PyObject* object) { return Ref(Py_XNewRef(object)); }

    PyObject* get() const { return object_; }
    PyObject* release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }

  private:
    PyObject* object_ = nullptr;
};

struct State {
    // concurrent.futures
    PyObject* base_future = nullptr;
    PyObject* cancelled_error = nullptr;
    PyObject* broken_process_pool = nullptr;
    PyObject* condition = nullptr;  // threading.Condition
    PyObject* logger = nullptr;     // concurrent.futures' own, for callbacks that raise
    // hardwork._pickling
    PyObject* dumps = nullptr;
    PyObject* dumps_result = nullptr;
    PyObject* loads = nullptr;
    PyObject* dumps_function = nullptr;
    PyObject* function_fingerprint = nullptr;
    PyObject* encode_exception = nullptr;
    PyObject* decode_exception = nullptr;
    // hardwork.errors
    PyObject* worker_died = nullptr;
    PyObject* pool_terminated = nullptr;
    PyObject* task_timeout = nullptr;
    PyObject* task_stopped = nullptr;
    PyObject* memory_exceeded = nullptr;
    PyObject* ended_by_force = nullptr;
    // multiprocessing
    PyObject* base_result = nullptr;       // multiprocessing.pool.ApplyResult
    PyObject* base_imap = nullptr;         // multiprocessing.pool.IMapIterator
    PyObject* remote_traceback = nullptr;  // multiprocessing.pool.RemoteTraceback
    PyObject* timeout_error = nullptr;     // multiprocessing.TimeoutError
    PyObject* event = nullptr;             // threading.Event
    // our types
    PyTypeObject* core_type = nullptr;
    PyTypeObject* limits_type = nullptr;
    PyTypeObject* future_type = nullptr;
    PyTypeObject* map_type = nullptr;
    PyTypeObject* result_type = nullptr;
    PyTypeObject* imap_type = nullptr;
    // interned strings
    PyObject* pending = nullptr;
    PyObject* running = nullptr;
    PyObject* cancelled = nullptr;
    PyObject* cancelled_and_notified = nullptr;
    PyObject* finished = nullptr;
};

// One interpreter only (the module says so in its slots): one state.
extern State state;

// Fills `state`; hardwork's own Python modules are looked up at first use, because they import this one.
int load_state();
int load_pickling();

// The engine as Python objects hold it: futures and iterators keep it, whoever is last lets it go.
using EngineRef = std::shared_ptr<Engine>;

// The Python error that is set, as an exception with its traceback; none is set afterwards. nullptr if there was none.
PyObject* take_error();
// The errno of an OSError; otherwise, or if it has none, `fallback`.
int errno_of(PyObject* error, int fallback);

// A method that METH_FASTCALL calls, as the tables of methods want it.
template <class Function>
PyCFunction as_method(Function* function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// A WorkerDied: a new reference, or nullptr with an error.
PyObject* worker_died(const WorkerDeath& death);

// Raises what the engine's Error means: RuntimeError after shutdown, BrokenProcessPool, OSError, MemoryError ...
void raise_error(const Error& error, Engine* engine);

}  // namespace hardwork::py
