// The type: its memory, start and end of the engine.
#include "core.hpp"

#include <cstring>

#include "cells.hpp"
#include "pool_result.hpp"
#include "source.hpp"
#include "waiting.hpp"

namespace hardwork::py {

void raise_closed(Errc closed, Engine& engine) {
    raise_error(Error{closed, 0, "the pool belongs to the process that made it, not to a fork of it"}, &engine);
}

bool has_stopped(Engine& engine) { return engine.closed() != Errc::ok && engine.wait_stopped(0) == WaitEnd::done; }

bool ensure_started(PyObject* self) {
    if (core_of(self)->engine != nullptr) [[likely]]
        return true;
    const Ref started(PyObject_CallMethod(self, "_start", nullptr));
    if (!started) return false;
    if (core_of(self)->engine != nullptr) return true;
    PyErr_SetString(PyExc_RuntimeError, "hardwork: _start() has not started the engine");
    return false;
}

namespace {

PyObject* core_new(PyTypeObject* type, PyObject*, PyObject*) {
    PyObject* self = type->tp_alloc(type, 0);
    if (self == nullptr) return nullptr;
    Core* core = core_of(self);
    new (&core->engine) EngineRef;
    new (&core->events) std::shared_ptr<FutureEvents>;
    new (&core->functions) Functions;
    new (&core->writer) Writer;
    core->writer_taken = false;
    core->results = nullptr;
    core->jobs = 0;
    return self;
}

int core_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    return core_of(self)->functions.traverse(visit, arg);
}

int core_clear(PyObject* self) {
    Core* core = core_of(self);
    core->functions.clear(core->engine.get());
    return 0;
}

// Dropped without shutdown: what was submitted is finished, then the workers end, as with the standard executor.
void core_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Core* core = core_of(self);
    if (core->engine != nullptr && core->engine->in_owner_process()) core->engine->begin_shutdown(Shutdown::finish);
    core->functions.clear(core->engine != nullptr && core->engine->in_owner_process() ? core->engine.get() : nullptr);
    forget_results(core);
    if (core->engine != nullptr) Cells::pool_ends();
    core->functions.~Functions();
    core->writer.~Writer();
    core->events.~shared_ptr();
    core->engine.~EngineRef();
    type->tp_free(self);
    Py_DECREF(type);
}

// Those of executors, and those of Pools. Under the GIL.
std::vector<std::weak_ptr<Engine>> executors_engines;
std::vector<std::weak_ptr<Engine>> pools_engines;

// After begin_shutdown. False with a Python error: a signal's handler has raised.
bool wait_stopped(const EngineRef& engine) {
    return sleep_until(kNoDeadline, [&](std::uint64_t until) { return engine->wait_stopped(until); }) == Waited::done;
}

PyObject* core_start(PyObject* self, PyObject* args) {
    PyObject* source;
    int workers;
    unsigned int max_tasks;
    int on_demand;
    int by_name;  // functions of __main__ are found in workers as in multiprocessing's spawned children
    int is_pool;
    int stop_signal;
    unsigned long long max_memory;
    if (!PyArg_ParseTuple(args, "OiIpppiK:_core_start", &source, &workers, &max_tasks, &on_demand, &by_name, &is_pool,
                          &stop_signal, &max_memory)) {
        return nullptr;
    }
    const Ref uses_template(PyObject_GetAttrString(source, "uses_template"));
    if (!uses_template || load_pickling() < 0) return nullptr;
    EngineOptions options;
    options.workers = workers;
    options.max_tasks_per_worker = max_tasks;
    options.on_demand = on_demand != 0;
    options.span_is_task = is_pool != 0;
    options.stop_signal = stop_signal;
    options.max_memory_per_worker = max_memory;
    auto python_source = std::make_shared<PythonSource>(source, PyObject_IsTrue(uses_template.get()) == 1);
    auto events = std::make_shared<FutureEvents>();
    EngineRef engine;
    Error error;
    Cells::pool_begins();
    Py_BEGIN_ALLOW_THREADS error = Engine::create(options, std::move(python_source), events, engine);
    Py_END_ALLOW_THREADS if (error.code != Errc::ok) {
        Cells::pool_ends();
        raise_error(error, nullptr);
        return nullptr;
    }
    auto& others = is_pool != 0 ? pools_engines : executors_engines;
    std::erase_if(others, [](const auto& old) { return old.expired(); });
    others.push_back(engine);
    core_of(self)->events = std::move(events);
    core_of(self)->engine = std::move(engine);
    core_of(self)->functions.start_method = by_name != 0 ? "spawn" : "fork";
    Py_RETURN_NONE;
}

PyObject* core_shutdown(PyObject* self, PyObject* args) {
    int wait;
    int how;
    if (!PyArg_ParseTuple(args, "pi:_core_shutdown", &wait, &how)) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine == nullptr || !engine->in_owner_process()) Py_RETURN_NONE;
    engine->begin_shutdown(static_cast<Shutdown>(how));
    if (wait == 0) Py_RETURN_NONE;
    if (core_of(self)->events->announces()) {
        PyErr_SetString(PyExc_RuntimeError, "a callback cannot wait for the pool's end: its thread makes it");
        return nullptr;
    }
    return wait_stopped(engine) ? Py_NewRef(Py_None) : nullptr;
}

constexpr int kTerminate = 15;  // SIGTERM
// What even SIGKILL does not end at once, or a callback that does not return, is waited for so long.
constexpr std::uint64_t kPatienceNs = 5'000'000'000;

// SIGTERM now, SIGKILL after the grace, and the wait for it, whatever signals come meanwhile: who is interrupted here
// has been told so already, and the interpreter must not end while engines live, whose threads may want the GIL.
void end_now(const std::vector<EngineRef>& engines, Shutdown how, std::uint64_t grace_ns, bool wait) {
    for (const EngineRef& engine : engines) {
        engine->begin_shutdown(how);
        engine->end_workers(grace_ns);
        if (grace_ns != 0) engine->signal_workers(kTerminate);
    }
    const std::uint64_t deadline = monotonic_ns() + grace_ns + kPatienceNs;
    for (const EngineRef& engine : engines) {
        while (wait && engine->wait_stopped(deadline) == WaitEnd::interrupted) {
        }
    }
}

std::vector<EngineRef> living(const std::vector<std::weak_ptr<Engine>>& all) {
    std::vector<EngineRef> engines;
    for (const auto& weak : all) {
        EngineRef engine = weak.lock();
        if (engine != nullptr && engine->in_owner_process()) engines.push_back(std::move(engine));
    }
    return engines;
}

std::uint64_t nanoseconds(double seconds) { return seconds > 0 ? static_cast<std::uint64_t>(seconds * 1e9) : 0; }

// _core_end_workers(how, grace): after which they are killed, whoever may be born later too. Waits for nothing.
PyObject* core_end_workers(PyObject* self, PyObject* args) {
    int how;
    double grace;
    if (!PyArg_ParseTuple(args, "id:_core_end_workers", &how, &grace)) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine == nullptr || !engine->in_owner_process()) Py_RETURN_NONE;
    engine->begin_shutdown(static_cast<Shutdown>(how));
    engine->end_workers(nanoseconds(grace));
    Py_RETURN_NONE;
}

// _core_end_now(how, grace): SIGTERM too, and waits, without running the handlers of signals.
PyObject* core_end_now(PyObject* self, PyObject* args) {
    int how;
    double grace;
    if (!PyArg_ParseTuple(args, "id:_core_end_now", &how, &grace)) return nullptr;
    const std::vector<EngineRef> engines{core_of(self)->engine};
    if (engines[0] == nullptr || !engines[0]->in_owner_process()) Py_RETURN_NONE;
    const bool wait = !core_of(self)->events->announces();
    Py_BEGIN_ALLOW_THREADS end_now(engines, static_cast<Shutdown>(how), nanoseconds(grace), wait);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

PyObject* core_announces(PyObject* self, PyObject*) {
    const auto& events = core_of(self)->events;
    return PyBool_FromLong(events != nullptr && events->announces() ? 1 : 0);
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

// _core_exit_status(pid): as multiprocessing gives it, the exit code or the negative signal; None if it is not known.
PyObject* core_exit_status(PyObject* self, PyObject* number) {
    const long pid = PyLong_AsLong(number);
    if (pid == -1 && PyErr_Occurred()) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine == nullptr) Py_RETURN_NONE;
    const ExitStatus status = engine->exit_status(static_cast<std::int32_t>(pid));
    switch (status.kind) {
        case ExitStatus::Kind::unknown: Py_RETURN_NONE;
        case ExitStatus::Kind::exited: return PyLong_FromLong(status.value);
        case ExitStatus::Kind::signaled: return PyLong_FromLong(-status.value);
    }
    Py_RETURN_NONE;
}

PyObject* core_ended_workers(PyObject* self, PyObject*) {
    Ref list(PyList_New(0));
    const EngineRef engine = core_of(self)->engine;
    if (!list || engine == nullptr || !engine->in_owner_process()) return list.release();
    for (const std::int32_t pid : engine->ended_workers()) {
        const Ref number(PyLong_FromLong(pid));
        if (!number || PyList_Append(list.get(), number.get()) < 0) return nullptr;
    }
    return list.release();
}

PyObject* core_broken(PyObject* self, PyObject*) {
    const EngineRef engine = core_of(self)->engine;
    return PyBool_FromLong(engine != nullptr && engine->closed() == Errc::broken ? 1 : 0);
}

PyObject* core_outstanding(PyObject* self, PyObject*) {
    const EngineRef engine = core_of(self)->engine;
    return PyLong_FromUnsignedLongLong(engine != nullptr ? engine->outstanding() : 0);
}

// _core_stats(): the counts by their names, and of deaths (cause, value, count).
PyObject* core_stats(PyObject* self, PyObject*) {
    const EngineRef engine = core_of(self)->engine;
    const PoolStats stats = engine != nullptr ? engine->stats() : PoolStats{};
    Ref died(PyList_New(0));
    if (!died) return nullptr;
    for (const Deaths& deaths : stats.workers_died) {
        const Ref each(Py_BuildValue("(iiK)", static_cast<int>(deaths.cause), deaths.value,
                                     static_cast<unsigned long long>(deaths.count)));
        if (!each || PyList_Append(died.get(), each.get()) < 0) return nullptr;
    }
    const auto number = [](std::uint64_t count) { return static_cast<unsigned long long>(count); };
    return Py_BuildValue("{sKsKsKsKsKsKsKsKsKsOsKsKsK}", "submitted", number(stats.submitted), "done",
                         number(stats.done), "failed", number(stats.failed), "cancelled", number(stats.cancelled),
                         "retried", number(stats.retried), "requeued", number(stats.requeued), "workers_alive",
                         number(stats.workers_alive), "workers_born", number(stats.workers_born), "workers_retired",
                         number(stats.workers_retired), "workers_died", died.get(), "workers_restarted",
                         number(stats.workers_restarted), "bytes_sent", number(stats.bytes_sent), "bytes_received",
                         number(stats.bytes_received));
}

// As _core_shutdown(True, ...) does, but for some time only: whether the pool has ended.
PyObject* core_wait_stopped(PyObject* self, PyObject* timeout) {
    std::uint64_t deadline;
    if (!deadline_of(timeout, deadline)) return nullptr;
    const EngineRef engine = core_of(self)->engine;
    if (engine == nullptr || !engine->in_owner_process()) Py_RETURN_TRUE;
    switch (sleep_until(deadline, [&](std::uint64_t until) { return engine->wait_stopped(until); })) {
        case Waited::done: Py_RETURN_TRUE;
        case Waited::timeout: Py_RETURN_FALSE;
        case Waited::raised: return nullptr;
    }
    return nullptr;
}

PyObject* core_started(PyObject* self, PyObject*) { return PyBool_FromLong(core_of(self)->engine != nullptr); }

PyMethodDef methods[] = {
    {"_core_start", core_start, METH_VARARGS, nullptr},
    {"_core_started", core_started, METH_NOARGS, nullptr},
    {"_core_shutdown", core_shutdown, METH_VARARGS, nullptr},
    {"_core_end_workers", core_end_workers, METH_VARARGS, nullptr},
    {"_core_end_now", core_end_now, METH_VARARGS, nullptr},
    {"_core_signal_workers", core_signal_workers, METH_O, nullptr},
    {"_core_wait_stopped", core_wait_stopped, METH_O, nullptr},
    {"_core_announces", core_announces, METH_NOARGS, nullptr},
    {"_core_broken", core_broken, METH_NOARGS, nullptr},
    {"_core_ended_workers", core_ended_workers, METH_NOARGS, nullptr},
    {"_core_exit_status", core_exit_status, METH_O, nullptr},
    {"_core_outstanding", core_outstanding, METH_NOARGS, nullptr},
    {"_core_stats", core_stats, METH_NOARGS, nullptr},
    {"_core_workers", core_workers, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PyObject* wait_all_stopped(PyObject*, PyObject*) {
    for (const EngineRef& engine : living(executors_engines)) {
        engine->begin_shutdown(Shutdown::finish);
        if (!wait_stopped(engine)) return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject* end_all_now(PyObject*, PyObject* grace) {
    const double seconds = PyFloat_AsDouble(grace);
    if (seconds == -1.0 && PyErr_Occurred()) return nullptr;
    const std::vector<EngineRef> engines = living(executors_engines);
    Py_BEGIN_ALLOW_THREADS end_now(engines, Shutdown::cancel, nanoseconds(seconds), true);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

PyObject* terminate_pools(PyObject*, PyObject*) {
    const std::vector<EngineRef> engines = living(pools_engines);
    Py_BEGIN_ALLOW_THREADS end_now(engines, Shutdown::terminate, 0, true);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

namespace {

int add_type(PyObject* module, const char* short_name, PyType_Spec& spec, PyObject* base, Ref& type) {
    type = Ref(PyType_FromModuleAndSpec(module, &spec, base));
    return type ? PyModule_AddObjectRef(module, short_name, type.get()) : -1;
}

int add_derived(PyObject* module, const char* short_name, const char* name, const char* doc, PyMethodDef* added,
                PyObject* base) {
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>(doc)},
        {Py_tp_methods, added},
        {0, nullptr},
    };
    // What the collector needs is inherited.
    PyType_Spec spec = {name, sizeof(Core), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
    Ref type;
    return add_type(module, short_name, spec, base, type);
}

}  // namespace

int make_core_types(PyObject* module) {
    if (PyModule_AddIntConstant(module, "SHUTDOWN_FINISH", static_cast<long>(Shutdown::finish)) < 0 ||
        PyModule_AddIntConstant(module, "SHUTDOWN_CANCEL_WAITING", static_cast<long>(Shutdown::cancel_waiting)) < 0 ||
        PyModule_AddIntConstant(module, "SHUTDOWN_CANCEL", static_cast<long>(Shutdown::cancel)) < 0 ||
        PyModule_AddIntConstant(module, "SHUTDOWN_TERMINATE", static_cast<long>(Shutdown::terminate)) < 0) {
        return -1;
    }
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("The part of both pools that is written in C++.")},
        {Py_tp_new, reinterpret_cast<void*>(core_new)},
        {Py_tp_dealloc, reinterpret_cast<void*>(core_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(core_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(core_clear)},
        {Py_tp_methods, methods},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.Core", sizeof(Core), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
    Ref base;
    if (add_type(module, "Core", spec, nullptr, base) < 0) return -1;
    state.core_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(base.get()));
    if (add_derived(module, "ExecutorCore", "hardwork._engine.ExecutorCore",
                    "The part of ProcessPoolExecutor that is written in C++.", executor_methods, base.get()) < 0) {
        return -1;
    }
    return add_derived(module, "PoolCore", "hardwork._engine.PoolCore", "The part of Pool that is written in C++.",
                       pool_methods, base.get());
}

}  // namespace hardwork::py
