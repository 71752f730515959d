// The module hardwork._engine.
#include <cerrno>

#include "codec_debug.hpp"
#include "core.hpp"
#include "future.hpp"
#include "hardwork/version.hpp"
#include "imap.hpp"
#include "limits.hpp"
#include "map_iterator.hpp"
#include "pool_result.hpp"
#include "runner.hpp"

namespace hardwork::py {

namespace {

// A template that is a Python process: forks by a Python callable, lives as a worker in another.
class PythonHooks final : public TemplateHooks {
  public:
    PythonHooks(PyObject* fork, PyObject* worker_main) : fork_(fork), worker_main_(worker_main) {}

    std::int32_t fork_worker() override {
        const Ref pid(PyObject_CallNoArgs(fork_));
        if (pid) return static_cast<std::int32_t>(PyLong_AsLong(pid.get()));
        const Ref error(take_error());
        errno = errno_of(error.get(), EAGAIN);
        return -1;
    }

    int worker_main(const WorkerSetup& setup) override {
        const Ref code(PyObject_CallFunction(worker_main_, "iiii", setup.lane_fd, setup.input_fd, setup.parent_fd,
                                             setup.program_fd));
        if (code && PyLong_Check(code.get())) return static_cast<int>(PyLong_AsLong(code.get()));
        if (PyErr_Occurred()) PyErr_Print();
        return 1;
    }

  private:
    PyObject* fork_;
    PyObject* worker_main_;
};

PyObject* module_serve_template(PyObject*, PyObject* args) {
    int channel;
    PyObject* fork;
    PyObject* worker_main;
    if (!PyArg_ParseTuple(args, "iOO:serve_template", &channel, &fork, &worker_main)) return nullptr;
    // The GIL stays held: the template has one thread.
    PythonHooks hooks(fork, worker_main);
    return PyLong_FromLong(serve_template(channel, hooks));
}

PyObject* module_run_worker(PyObject*, PyObject* args) {
    WorkerSetup setup;
    PyObject* initialize;
    if (!PyArg_ParseTuple(args, "iiiiO:run_worker", &setup.lane_fd, &setup.input_fd, &setup.parent_fd,
                          &setup.program_fd, &initialize)) {
        return nullptr;
    }
    PythonRunner runner(initialize);
    const int code = run_worker(setup, runner);
    runner.interrupted();  // a Ctrl-C that came after the last task was not meant for what follows
    return PyLong_FromLong(code);
}

PyObject* module_pause(PyObject*, PyObject*) {
    pause_parent_watch();
    Py_RETURN_NONE;
}

PyObject* module_resume(PyObject*, PyObject*) {
    resume_parent_watch();
    Py_RETURN_NONE;
}

PyObject* module_usable_cpus(PyObject*, PyObject*) { return PyLong_FromLong(usable_cpus()); }

PyMethodDef functions[] = {
    {"serve_template", module_serve_template, METH_VARARGS, nullptr},
    {"run_worker", module_run_worker, METH_VARARGS, nullptr},
    {"pause_parent_watch", module_pause, METH_NOARGS, nullptr},
    {"resume_parent_watch", module_resume, METH_NOARGS, nullptr},
    {"end_all_now", end_all_now, METH_O, nullptr},
    {"wait_all_stopped", wait_all_stopped, METH_NOARGS, nullptr},
    {"terminate_pools", terminate_pools, METH_NOARGS, nullptr},
    {"usable_cpus", module_usable_cpus, METH_NOARGS, nullptr},
    {"raise_if_stopped", raise_if_stopped, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

int execute(PyObject* module) {
    if (load_state() < 0 || make_future_type(module) < 0 || make_map_type(module) < 0 || make_result_type(module) < 0 ||
        make_imap_type(module) < 0 || make_core_types(module) < 0 || make_limits_type(module) < 0 ||
        PyModule_AddFunctions(module, codec_debug_methods) < 0) {
        return -1;
    }
    const Ref text(PyUnicode_FromFormat("%d.%d.%d", version.major, version.minor, version.patch));
    return text ? PyModule_AddObjectRef(module, "__version__", text.get()) : -1;
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "hardwork._engine",
    "The C++ engine for Python.",
    0,
    functions,
    slots,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace

}  // namespace hardwork::py

PyMODINIT_FUNC PyInit__engine() { return PyModuleDef_Init(&hardwork::py::definition); }
