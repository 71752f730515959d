// The type's memory, and how what is done becomes a value.
#include "pool_result.hpp"

#include "cells.hpp"
#include "managed_dict.hpp"
#include "shared_engine.hpp"

namespace hardwork::py {

Py_ssize_t result_offset = 0;

namespace {

Cells cells;

constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kNumberBits) - 1;

PyObject* object_of(PoolResult* own) {
    return reinterpret_cast<PyObject*>(reinterpret_cast<char*>(own) - result_offset);
}

void link(Core* core, PoolResult& own) {
    own.link = &core->results;
    own.older = core->results;
    if (own.older != nullptr) own.older->link = &own.older;
    core->results = &own;
}

// Then `older` means nothing any more.
void unlink(PoolResult& own) {
    if (own.link == nullptr) return;
    *own.link = own.older;
    if (own.older != nullptr) own.older->link = own.link;
    own.link = nullptr;
}

int result_traverse(PyObject* self, visitproc visit, void* arg) {
    PoolResult& own = result_fields(self);
    Py_VISIT(Py_TYPE(self));
    if (own.ready) Py_VISIT(own.value);
    if (const Calls* calls = own.callbacks(); calls != nullptr) {
        Py_VISIT(calls->callback);
        Py_VISIT(calls->error_callback);
        Py_VISIT(calls->event);
    }
    if (own.is_map) {
        Py_VISIT(own.map->list);
        Py_VISIT(own.map->error);
        if (const int stop = own.map->reader.traverse(visit, arg); stop != 0) return stop;
    }
    return visit_attributes(self, visit, arg);
}

int result_clear(PyObject* self) {
    PoolResult& own = result_fields(self);
    if (own.ready) Py_SETREF(own.value, Py_NewRef(Py_None));
    if (Calls* calls = own.callbacks(); calls != nullptr) {
        Py_CLEAR(calls->callback);
        Py_CLEAR(calls->error_callback);
    }
    clear_attributes(self);
    return 0;
}

void drop_calls(PoolResult& own) {
    if (!own.calls_back) return;
    Calls* calls = own.calls;
    own.calls_back = false;
    own.only_engine = calls->engine;
    Py_XDECREF(calls->callback);
    Py_XDECREF(calls->error_callback);
    Py_XDECREF(calls->event);
    delete calls;
}

// A map that nobody can ask any more goes on all the same: its results are dropped as they come.
void drop_map(PoolResult& own) {
    MapPart* map = own.map;
    map->reader.let_go();
    Py_XDECREF(map->list);
    Py_XDECREF(map->error);
    delete map;
}

void result_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    PoolResult& own = result_fields(self);
    unlink(own);
    if (own.is_map) {
        drop_map(own);
    } else if (own.task != nullptr && (*own.engine())->in_owner_process()) {
        (*own.engine())->release(own.task);
    }
    drop_calls(own);
    if (own.only_engine != nullptr) unshare(own.only_engine);
    if (own.ready) Py_DECREF(own.value);
    clear_attributes(self);
    if (own.in_cell) {
        cells.put_back(self);
    } else {
        PyObject_GC_Del(self);
    }
    Py_DECREF(type);
}

int result_setattro(PyObject* self, PyObject* name, PyObject* value) {
    track(self);
    return PyObject_GenericSetAttr(self, name, value);
}

bool is_terminated(PyObject* error) {
    return PyObject_TypeCheck(error, reinterpret_cast<PyTypeObject*>(state.pool_terminated)) != 0;
}

// The engine tells of a stop of what had not started as of the pool's end. Takes the error, returns a new reference.
PyObject* name_stop(const PoolResult& own, PyObject* error) {
    if (!own.stopped || !is_terminated(error)) return error;
    Py_DECREF(error);
    const char* text = own.is_map ? "the map was stopped" : "the task was stopped before it had started";
    PyObject* named = PyObject_CallFunction(state.task_stopped, "s", text);
    return named != nullptr ? named : take_error();
}

void make_ready(PyObject* self, PyObject* value, bool is_error) {
    PoolResult& own = result_fields(self);
    unlink(own);
    own.value = value;
    own.is_error = is_error;
    own.ready = true;
    if (PyObject_IS_GC(value)) track(self);
}

PyObject* new_result(Core* core, PyObject* callback, PyObject* error_callback) {
    PyObject* self = cells.take();
    const bool in_cell = self != nullptr;
    if (!in_cell) self = allocate_untracked(state.result_type);
    if (self == nullptr) return nullptr;
    PoolResult& own = result_fields(self);
    own.in_cell = in_cell;
    own.only_engine = share(core->engine);
    own.number = core->jobs++ & kNumberMask;
    if (callback != Py_None || error_callback != Py_None) {
        own.calls = new Calls{own.only_engine, Py_NewRef(callback), Py_NewRef(error_callback)};
        own.calls_back = true;
        track(self);
    }
    link(core, own);
    return self;
}

// Somebody is to be called: the engine's collector does it, also if all is done already. Whoever hands in the work never
// runs the callback itself, since it may hold a lock that the callback wants.
void announce_later(PyObject* self) {
    PoolResult& own = result_fields(self);
    if (!own.calls_back) return;
    Engine& engine = **own.engine();
    Py_INCREF(self);
    if (own.is_map) {
        Job* job = own.map->reader.job();
        if (job != nullptr && engine.subscribe(job, self)) return;
    } else if (own.task != nullptr && engine.subscribe(own.task, self)) {
        return;
    }
    if (!engine.notify(self)) announce_result(self);
}

Waited settle_task(PyObject* self, std::uint64_t deadline) {
    PoolResult& own = result_fields(self);
    const EngineRef& engine = *own.engine();  // the caller's reference to self keeps it
    if (deadline == 0 && !engine->is_done(own.task)) {
        engine->poll();
        if (!engine->is_done(own.task)) return Waited::timeout;
    }
    if (const Waited waited = wait_for_task(engine, own.task, deadline); waited != Waited::done) return waited;
    if (own.ready) return Waited::done;  // another thread was faster
    const TaskResult result = engine->result(own.task);
    bool is_error = false;
    const Ref alive = Ref::borrow(self);
    ++own.decoding;
    Ref value(decode_ending(*engine, result, is_error, Face::pool));  // may run Python code, and so settle it
    --own.decoding;
    if (!value) return Waited::raised;
    if (is_error) value = Ref(name_stop(own, value.release()));
    if (!own.ready) {
        make_ready(self, value.release(), is_error);
        if (own.decoding == 0 && result.bytes.size() > kSmallResult) engine->drop_result(own.task);
    }
    return Waited::done;
}

// The results of a map are decoded as they come, by who waits for them.
Waited settle_map(PyObject* self, std::uint64_t deadline) {
    PoolResult& own = result_fields(self);
    MapPart& map = *own.map;
    const Ref alive = Ref::borrow(self);
    for (;;) {
        PyObject* object;
        switch (map.reader.next(deadline, object)) {
            case MapReader::Step::value:
                // The reader hands them out in order, and nobody else runs between that and this.
                if (map.error == nullptr && map.got < map.length) {
                    PyList_SET_ITEM(map.list, map.got, object);
                } else {
                    Py_DECREF(object);
                }
                ++map.got;
                continue;
            case MapReader::Step::error:
                // As the original: the others are waited for, then the first one is raised.
                if (map.error == nullptr) {
                    map.error = name_stop(own, object);
                } else {
                    Py_DECREF(object);
                }
                ++map.got;
                continue;
            case MapReader::Step::timeout: return Waited::timeout;
            case MapReader::Step::raised: return Waited::raised;
            case MapReader::Step::end: break;
        }
        if (!own.ready) {
            const bool is_error = map.error != nullptr;
            Ref list(std::exchange(map.list, nullptr));  // of a failed map nobody gets it
            PyObject* value = is_error ? std::exchange(map.error, nullptr) : list.release();
            make_ready(self, value, is_error);
        }
        return Waited::done;
    }
}

}  // namespace

Waited settle_result(PyObject* self, std::uint64_t deadline) {
    PoolResult& own = result_fields(self);
    if (own.ready) return Waited::done;
    return own.is_map ? settle_map(self, deadline) : settle_task(self, deadline);
}

int look_at_result(PyObject* self) {
    PoolResult& own = result_fields(self);
    if (own.calls_back) return own.calls->announced ? 1 : 0;
    if (own.ready) return 1;
    // What another process's pool does cannot be seen here.
    if (!(*own.engine())->in_owner_process()) return 0;
    const Waited looked = settle_result(self, 0);
    return looked == Waited::raised ? -1 : looked == Waited::done ? 1 : 0;
}

void announce_result(PyObject* self) {
    PoolResult& own = result_fields(self);
    if (settle_result(self, 0) != Waited::done && PyErr_Occurred()) PyErr_WriteUnraisable(self);
    Calls& calls = *own.calls;
    // Nobody is told that a pool was terminated, as with the original.
    const bool terminated = own.is_error && is_terminated(own.value);
    PyObject* callback = own.is_error ? calls.error_callback : calls.callback;
    if (own.ready && !terminated && callback != nullptr && callback != Py_None) {
        const Ref called(PyObject_CallOneArg(callback, own.value));
        if (!called) PyErr_WriteUnraisable(callback);
    }
    calls.announced = true;
    if (calls.event != nullptr) {
        const Ref set(PyObject_CallMethod(calls.event, "set", nullptr));
        if (!set) PyErr_WriteUnraisable(self);
    }
    Py_DECREF(self);
}

PyObject* new_task_result(Core* core, Task* task, PyObject* callback, PyObject* error_callback) {
    PyObject* self = new_result(core, callback, error_callback);
    if (self == nullptr) {
        core->engine->release(task);
        return nullptr;
    }
    result_fields(self).task = task;
    announce_later(self);
    return self;
}

PyObject* new_failed_result(Core* core, PyObject* callback, PyObject* error_callback) {
    Ref error(take_error());
    PyObject* self = new_result(core, callback, error_callback);
    if (self == nullptr) return nullptr;
    make_ready(self, error.release(), true);
    announce_later(self);
    return self;
}

PyObject* new_map_result(Core* core, Job* job, PyObject* errors, Py_ssize_t length, PyObject* callback,
                         PyObject* error_callback) {
    Ref list(PyList_New(length));
    PyObject* self = list ? new_result(core, callback, error_callback) : nullptr;
    if (self == nullptr) {
        core->engine->cancel_rest(job);
        core->engine->release_job(job);
        return nullptr;
    }
    PoolResult& own = result_fields(self);
    own.is_map = true;
    own.map = new MapPart{{core->engine, job, errors, Face::pool}, list.release(), length, 0, nullptr};
    track(self);
    announce_later(self);
    return self;
}

PyObject* pending_results(Core* core) {
    Ref all(PyList_New(0));
    if (!all) return nullptr;
    for (PoolResult* own = core->results; own != nullptr; own = own->older) {
        if (PyList_Append(all.get(), object_of(own)) < 0) return nullptr;
    }
    Ref pending(PyList_New(0));
    for (Py_ssize_t i = PyList_GET_SIZE(all.get()); pending && i > 0; --i) {
        PyObject* self = PyList_GET_ITEM(all.get(), i - 1);
        const int ready = look_at_result(self);  // takes it out of the list that we no longer walk
        if (ready < 0 || (ready == 0 && PyList_Append(pending.get(), self) < 0)) return nullptr;
    }
    return pending.release();
}

void forget_results(Core* core) {
    while (core->results != nullptr)
        unlink(*core->results);
}

int make_result_type(PyObject* module) {
    auto* base = reinterpret_cast<PyTypeObject*>(state.base_result);
    constexpr Py_ssize_t alignment = alignof(PoolResult);
    result_offset = (base->tp_basicsize + alignment - 1) / alignment * alignment;
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>("The result of Pool.apply_async, map_async or starmap_async; a "
                                      "multiprocessing.pool.AsyncResult that stays small.")},
        {Py_tp_dealloc, reinterpret_cast<void*>(result_dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(result_traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(result_clear)},
        {Py_tp_setattro, reinterpret_cast<void*>(result_setattro)},
        {Py_tp_methods, result_methods},
        {Py_tp_getset, result_attributes},
        {0, nullptr},
    };
    PyType_Spec spec = {"hardwork._engine.AsyncResult",
                        static_cast<int>(result_offset) + static_cast<int>(sizeof(PoolResult)), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    PyObject* type = PyType_FromSpecWithBases(&spec, state.base_result);
    if (type == nullptr) return -1;
    state.result_type = reinterpret_cast<PyTypeObject*>(type);
    without_inline_attributes(state.result_type);
    cells.serve(state.result_type);
    return PyModule_AddObjectRef(module, "AsyncResult", type);
}

}  // namespace hardwork::py
