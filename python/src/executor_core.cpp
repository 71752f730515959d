// The type: its memory, start and end of the engine.
#include "executor_core.hpp"

#include <cstring>

#include "source.hpp"

namespace hardwork::py {

namespace {

PyObject* core_new(PyTypeObject* type, PyObject*, PyObject*) {
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) return nullptr;
    ExecutorCore* core = core_of(self);
    new (&core->engine) EngineRef;
    new (&core->functions) Functions;
    new (&core->writer) Writer;
    core->writer_taken = false;
    return self;
}

int core_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return core_of(self)->functions.traverse(visit, arg);
}

int core_clear(PyObject* self) {
    ExecutorCore* core = core_of(self);
    core->functions.clear(core->engine.get());
    return 0;
}

// Dropped without shutdown: what was submitted is finished, then the workers end, as with the standard executor.
void core_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ExecutorCore* core = core_of(self);
    if (core->engine != nullptr && core->engine->in_owner_process()) core->engine->begin_shutdown(false);
    core->functions.clear(core->engine != nullptr && core->engine->in_owner_process() ? core->engine.get() : nullptr);
    core->functions.~Functions();
    core->writer.~Writer();
    core->engine.~EngineRef();
    type->tp_free(self);
    Py_DECREF(type);
}

std::vector<std::weak_ptr<Engine>>& engines() {
    static std::vector<std::weak_ptr<Engine>> all;  // under the GIL
    return all;
}

PyObject* core_start(PyObject* self, PyObject* args) {
    PyObject* source;
    int workers;
    unsigned int max_tasks;
    int on_demand;
    if (!PyArg_ParseTuple(args, "OiIp:_core_start", &source, &workers, &max_tasks, &on_demand)) return nullptr;
    const Ref uses_template(PyObject_GetAttrString(source, "uses_template"));
    if (!uses_template || load_pickling() < 0) return nullptr;
    EngineOptions options;
    options.workers = workers;
    options.max_tasks_per_worker = max_tasks;
    options.on_demand = on_demand != 0;
    auto python_source = std::make_shared<PythonSource>(source, PyObject_IsTrue(uses_template.get()) == 1);
    auto events = std::make_shared<FutureEvents>();
    EngineRef engine;
    Error error;
    Py_BEGIN_ALLOW_THREADS error = Engine::create(options, std::move(python_source), std::move(events), engine);
    Py_END_ALLOW_THREADS if (error.code != Errc::ok) {
        raise_error(error, nullptr);
        return nullptr;
    }
    std::erase_if(engines(), [](const auto& old) { return old.expired(); });
    engines().push_back(engine);
    core_of(self)->engine = std::move(engine);
    core_of(self)->functions.start_method = on_demand != 0 ? "spawn" : "fork";
    Py_RETURN_NONE;
}

PyObject* core_shutdown(PyObject* self, PyObject* args) {
    int wait;
    int cancel;
    if (!PyArg_ParseTuple(args, "pp:_core_shutdown", &wait, &cancel)) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine == nullptr || !engine->in_owner_process()) Py_RETURN_NONE;
    engine->begin_shutdown(cancel != 0);
    while (wait != 0) {
        WaitEnd end;
        Py_BEGIN_ALLOW_THREADS end = engine->wait_stopped(~std::uint64_t{0});
        Py_END_ALLOW_THREADS if (end == WaitEnd::done) break;
        if (PyErr_CheckSignals() < 0) return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject* core_signal_workers(PyObject* self, PyObject* number) {
    const long signal = PyLong_AsLong(number);
    if (signal == -1 && PyErr_Occurred()) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine != nullptr && engine->in_owner_process()) engine->signal_workers(static_cast<int>(signal));
    Py_RETURN_NONE;
}

PyObject* core_workers(PyObject* self, PyObject*) {
    Ref list(PyList_New(0));
    const EngineRef engine = core_of(self)->engine;
    if (!list || engine == nullptr || !engine->in_owner_process()) return list.release();
    for (const WorkerView& worker : engine->workers()) {
        if (worker.pid == 0) {
            // Being born: it counts, though its number is not known yet.
            const Ref entry(Py_BuildValue("(iO)", 0, Py_False));
            if (!entry || PyList_Append(list.get(), entry.get()) < 0) return nullptr;
            continue;
        }
        const Ref entry(Py_BuildValue("(iO)", static_cast<int>(worker.pid), Py_True));
        if (!entry || PyList_Append(list.get(), entry.get()) < 0) return nullptr;
    }
    return list.release();
}

PyObject* core_started(PyObject* self, PyObject*) { return PyBool_FromLong(core_of(self)->engine != nullptr); }

PyMethodDef methods[] = {
    {"submit", as_method(core_submit), METH_FASTCALL | METH_KEYWORDS,
     "submit($self, fn, /, *args, **kwargs)\n--\n\n"
     "Schedules fn(*args, **kwargs) in a worker and returns its Future.\n\n"
     "An argument that cannot be pickled fails the future, not this call. Raises RuntimeError after shutdown and\n"
     "BrokenProcessPool if workers cannot be started."},
    {"_core_start", core_start, METH_VARARGS, nullptr},
    {"_core_started", core_started, METH_NOARGS, nullptr},
    {"_core_map_range", as_method(core_map_range), METH_FASTCALL, nullptr},
    {"_core_map_items", as_method(core_map_items), METH_FASTCALL, nullptr},
    {"_core_shutdown", core_shutdown, METH_VARARGS, nullptr},
    {"_core_signal_workers", core_signal_workers, METH_O, nullptr},
    {"_core_workers", core_workers, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyObject* wait_all_stopped(PyObject*, PyObject*) {
    const auto all = engines();
    for (const auto& weak : all) {
        const EngineRef engine = weak.lock();
        if (engine == nullptr || !engine->in_owner_process()) continue;
        engine->begin_shutdown(false);
        WaitEnd end = WaitEnd::interrupted;
        while (end == WaitEnd::interrupted) {
            Py_BEGIN_ALLOW_THREADS end = engine->wait_stopped(~std::uint64_t{0});
            Py_END_ALLOW_THREADS if (end == WaitEnd::interrupted && PyErr_CheckSignals() < 0) return nullptr;
        }
    }
    Py_RETURN_NONE;
}

int make_executor_type(PyObject* module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("The part of ProcessPoolExecutor that is written in C++.")},
        {Py_tp_new, reinterpret_cast<void*>(core_new)},
        {Py_tp_dealloc, reinterpret_cast<void*>(core_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(core_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(core_clear)},
        {Py_tp_methods, methods},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.ExecutorCore", sizeof(ExecutorCore), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
    PyObject* type = PyType_FromModuleAndSpec(module, &spec, nullptr);
    if (type == nullptr) return -1;
    const int added = PyModule_AddObjectRef(module, "ExecutorCore", type);
    Py_DECREF(type);
    return added;
}

}  // namespace hardwork::py
