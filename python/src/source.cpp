#include "source.hpp"

#include <cerrno>

#include "future.hpp"

namespace hardwork::py {

namespace {

class Gil {
  public:
    Gil() : held_(PyGILState_Ensure()) {}
    Gil(const Gil&) = delete;
    Gil& operator=(const Gil&) = delete;
    ~Gil() { PyGILState_Release(held_); }

  private:
    PyGILState_STATE held_;
};

// What a method raised that is no OSError goes where the methods keep what they catch themselves: whoever starts the pool
// finds it there. An interrupt can come before they begin to catch. An ordinary exception is also reported as unraisable:
// in the supervisor's thread nobody else would ever see it.
void keep(PyObject* source) {
    const bool ordinary = PyErr_ExceptionMatches(PyExc_Exception) != 0;
    const Ref error(take_error());
    if (PyObject_SetAttrString(source, "interrupted", error.get()) < 0) PyErr_WriteUnraisable(source);
    if (!ordinary) return;
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    PyErr_WriteUnraisable(source);
}

// The pid a method of the source returned, or the errno of its OSError.
int pid_or_errno(PyObject* source, PyObject* returned, std::int32_t& pid) {
    const Ref result(returned);
    if (result) {
        const long value = PyLong_AsLong(result.get());
        if (value > 0) {
            pid = static_cast<std::int32_t>(value);
            return 0;
        }
        if (!PyErr_Occurred()) return EINVAL;
    }
    if (PyErr_ExceptionMatches(PyExc_OSError)) {
        const Ref error(take_error());
        const int code = errno_of(error.get(), EIO);
        return code > 0 ? code : EIO;
    }
    keep(source);
    return ECANCELED;
}

thread_local bool in_callbacks = false;

}  // namespace

bool runs_callbacks() { return in_callbacks; }

PythonSource::~PythonSource() {
    if (Py_IsInitialized() == 0) return;  // the interpreter has ended: the object went with it
    const Gil gil;
    Py_DECREF(source_);
}

int PythonSource::start_template(int channel_fd, std::int32_t& pid) {
    const Gil gil;
    return pid_or_errno(source_, PyObject_CallMethod(source_, "start_template", "i", channel_fd), pid);
}

int PythonSource::start_worker(const WorkerSetup& setup, std::int32_t& pid) {
    const Gil gil;
    return pid_or_errno(source_,
                        PyObject_CallMethod(source_, "start_worker", "iiii", setup.lane_fd, setup.input_fd,
                                            setup.parent_fd, setup.program_fd),
                        pid);
}

void FutureEvents::on_done(std::span<void* const> cookies) {
    const Gil gil;
    announcer_.store(PyThread_get_thread_ident(), std::memory_order_relaxed);
    in_callbacks = true;
    announce(cookies);
    in_callbacks = false;
    announcer_.store(0, std::memory_order_relaxed);
}

}  // namespace hardwork::py
