// hardwork._engine.ExecutorCore: the C base of ProcessPoolExecutor. It holds the engine and has the fast paths.
#pragma once

#include "functions.hpp"
#include "payload.hpp"
#include "state.hpp"

namespace hardwork::py {

struct ExecutorCore {
    PyObject_HEAD EngineRef engine;  // empty until the first submit
    Functions functions;
    Writer writer;  // of the call being encoded; taken by one submit at a time
    bool writer_taken;
};

inline ExecutorCore* core_of(PyObject* self) { return reinterpret_cast<ExecutorCore*>(self); }

int make_executor_type(PyObject* module);
// The end of the interpreter: every pool, also one whose executor is gone, finishes what was submitted.
PyObject* wait_all_stopped(PyObject* module, PyObject*);

PyObject* core_submit(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* core_map_range(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* core_map_items(PyObject* self, PyObject* const* args, Py_ssize_t count);

// Encoding may run Python code, which may submit to the same executor: then the inner call has a writer of its own.
class BorrowedWriter {
  public:
    explicit BorrowedWriter(ExecutorCore* core) : core_(core->writer_taken ? nullptr : core) {
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
    ExecutorCore* core_;
    Writer own_;
};

}  // namespace hardwork::py
