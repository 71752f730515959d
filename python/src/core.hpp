// hardwork._engine.Core: the C base of both faces. It holds the engine. ExecutorCore and PoolCore add the fast paths.
#pragma once

#include "functions.hpp"
#include "payload.hpp"
#include "source.hpp"
#include "state.hpp"

namespace hardwork::py {

struct Core {
    PyObject_HEAD EngineRef engine;  // empty until the first submit
    std::shared_ptr<FutureEvents> events;
    Functions functions;
    Writer writer;  // of the call being encoded; taken by one submit at a time
    bool writer_taken;
    struct PoolResult* results;  // of a Pool: those that are not known to be done, the newest first
    std::uint64_t jobs;          // of a Pool: its results so far
};

inline Core* core_of(PyObject* self) { return reinterpret_cast<Core*>(self); }

// Calls _start() if there is no engine yet. False with a Python error.
bool ensure_started(PyObject* self);
void raise_closed(Errc closed, Engine& engine);
// Whether it has ended. Inputs get no memory then, and that is all that who was just making one finds.
bool has_stopped(Engine& engine);

// The types Core, ExecutorCore and PoolCore.
int make_core_types(PyObject* module);
// The end of the interpreter: every pool, also one whose executor is gone, finishes what was submitted.
PyObject* wait_all_stopped(PyObject* module, PyObject*);
// The same for who has no time: what has not started is dropped, and after the grace (seconds) nobody lives.
PyObject* end_all_now(PyObject* module, PyObject* grace);
// The same for every Pool: they are terminated.
PyObject* terminate_pools(PyObject* module, PyObject*);

// A call's arguments as the engine's input. refused: they cannot be encoded, an Exception says why; failed: no memory, or
// something that is the caller's to raise.
enum class Encoded { yes, refused, failed };
Encoded encode_input(Core* core, PyObject* fn, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                     Input& input);

PyObject* core_map_range(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* core_map_items(PyObject* self, PyObject* const* args, Py_ssize_t count);

// The methods of ExecutorCore and of PoolCore.
extern PyMethodDef executor_methods[];
extern PyMethodDef pool_methods[];

// Encoding may run Python code, which may submit to the same executor: then the inner call has a writer of its own.
class BorrowedWriter {
  public:
    explicit BorrowedWriter(Core* core) : core_(core->writer_taken ? nullptr : core) {
        if (core_ != nullptr) core_->writer_taken = true;
        get().clear();
    }
    BorrowedWriter(const BorrowedWriter&) = delete;
    BorrowedWriter& operator=(const BorrowedWriter&) = delete;
    ~BorrowedWriter() {
        if (core_ != nullptr) core_->writer_taken = false;
    }
    Writer& get() { return core_ != nullptr ? core_->writer : own_; }

  private:
    Core* core_;
    Writer own_;
};

}  // namespace hardwork::py
