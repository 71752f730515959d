// The methods of PoolCore: calls and maps in, results and iterators out.
#include "imap.hpp"
#include "limits.hpp"
#include "map_input.hpp"
#include "pool_result.hpp"

namespace hardwork::py {

namespace {

enum Argument { kFunc, kArgs, kKwds, kCallback, kErrorCallback, kArguments };
constexpr const char* kNames[kArguments] = {"func", "args", "kwds", "callback", "error_callback"};

// apply_async's arguments into their places; nullptr where none was given. False with TypeError.
bool place_arguments(PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject* (&places)[kArguments]) {
    if (count > kArguments) {
        PyErr_Format(PyExc_TypeError, "apply_async() takes at most 5 arguments, not %zd", count);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; ++i)
        places[i] = args[i];
    const Py_ssize_t named = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < named; ++i) {
        PyObject* name = PyTuple_GET_ITEM(kwnames, i);
        int at = 0;
        while (at < kArguments && PyUnicode_CompareWithASCIIString(name, kNames[at]) != 0)
            ++at;
        if (at == kArguments || places[at] != nullptr) {
            PyErr_Format(PyExc_TypeError,
                         at == kArguments ? "apply_async() got an unexpected keyword argument %R"
                                          : "apply_async() got multiple values for argument %R",
                         name);
            return false;
        }
        places[at] = args[count + i];
    }
    if (places[kFunc] != nullptr) return true;
    PyErr_SetString(PyExc_TypeError, "apply_async() missing 1 required positional argument: 'func'");
    return false;
}

bool check_callback(PyObject*& callback, const char* name) {
    if (callback == nullptr) callback = Py_None;
    if (callback == Py_None || PyCallable_Check(callback) != 0) return true;
    PyErr_Format(PyExc_TypeError, "%s must be a callable or None, not %R (%s)", name, callback,
                 Py_TYPE(callback)->tp_name);
    return false;
}

bool check_open(Core* core) {
    const Errc closed = core->engine->closed();
    if (closed == Errc::ok) [[likely]]
        return true;
    if (closed == Errc::shut_down) {
        PyErr_SetString(PyExc_ValueError, "Pool not running");
    } else {
        raise_closed(closed, *core->engine);
    }
    return false;
}

// The call's arguments as a vector call has them: positional ones, then those by name.
struct CallArguments {
    PyObject* const* items = nullptr;
    Py_ssize_t positional = 0;
    Ref names;

    bool fill(PyObject* args, PyObject* kwds) {
        if (args != nullptr && !PyTuple_Check(args)) {
            tuple = Ref(arguments_tuple(args, "args"));
            if (!tuple) return false;
            args = tuple.get();
        }
        positional = args != nullptr ? PyTuple_GET_SIZE(args) : 0;
        items = positional != 0 ? &PyTuple_GET_ITEM(args, 0) : nullptr;
        if (kwds == nullptr) return true;
        if (!PyDict_Check(kwds) && PyObject_HasAttrString(kwds, "keys") == 0) {
            PyErr_Format(PyExc_TypeError, "kwds must be a mapping of arguments by name, not %.200R (%s)", kwds,
                         Py_TYPE(kwds)->tp_name);
            return false;
        }
        const Ref named(PyDict_New());
        if (!named || PyDict_Update(named.get(), kwds) < 0) return false;
        if (PyDict_GET_SIZE(named.get()) == 0) return true;
        dict = Ref::borrow(named.get());
        names = Ref(PySequence_Tuple(named.get()));
        if (!names) return false;
        vector.assign(items, items + positional);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names.get()); ++i) {
            PyObject* name = PyTuple_GET_ITEM(names.get(), i);
            if (!PyUnicode_Check(name)) {
                PyErr_SetString(PyExc_TypeError, "keywords must be strings");
                return false;
            }
            vector.push_back(PyDict_GetItemWithError(named.get(), name));
        }
        items = vector.data();
        return true;
    }

  private:
    Ref tuple;  // what `items` points into, where that had to be made
    Ref dict;
    std::vector<PyObject*> vector;
};

}  // namespace

PyObject* apply_async_limited(PyObject* self, PyObject* limits, PyObject* const* args, Py_ssize_t count,
                              PyObject* kwnames) {
    PyObject* places[kArguments] = {};
    if (!place_arguments(args, count, kwnames, places)) return nullptr;
    if (!check_callback(places[kCallback], "callback") || !check_callback(places[kErrorCallback], "error_callback") ||
        !ensure_started(self)) {
        return nullptr;
    }
    Core* core = core_of(self);
    std::uint32_t number = 0;
    if (!check_open(core) || (limits != nullptr && !limits_number(self, limits, number))) return nullptr;
    Engine& engine = *core->engine;
    const auto failed = [&]() -> PyObject* {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return nullptr;
        return new_failed_result(core, places[kCallback], places[kErrorCallback]);
    };
    std::uint32_t function = 0;
    if (!core->functions.number_of(places[kFunc], engine, function)) return failed();
    CallArguments call;
    if (!call.fill(places[kArgs], places[kKwds])) return failed();
    Input input;
    switch (encode_input(core, function == 0 ? places[kFunc] : nullptr, call.items, call.positional, call.names.get(),
                         input)) {
        case Encoded::yes: break;
        case Encoded::refused: return failed();
        case Encoded::failed:
            if (PyErr_ExceptionMatches(PyExc_MemoryError) && has_stopped(engine)) {
                PyErr_Clear();
                check_open(core);
            }
            return nullptr;
    }
    Error why;
    Task* task = engine.submit(function, input, number, why);
    if (task == nullptr) [[unlikely]] {
        engine.discard(input);
        if (check_open(core)) raise_error(why, &engine);
        return nullptr;
    }
    return new_task_result(core, task, places[kCallback], places[kErrorCallback]);
}

namespace {

PyObject* pool_apply_async(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    return apply_async_limited(self, nullptr, args, count, kwnames);
}

JobOptions options_of(unsigned int most_in_row, bool ordered) {
    JobOptions options;
    options.ordered = ordered;
    options.most_in_row = most_in_row;
    return options;
}

// Iterating and pickling run Python code, which may have closed the pool since it was looked at.
bool ready_for_map(PyObject* self) { return ensure_started(self) && check_open(core_of(self)); }

// The map has not started, because of the Python error that is set.
PyObject* no_map(PyObject* self) {
    if (PyErr_ExceptionMatches(PyExc_MemoryError) && has_stopped(*core_of(self)->engine)) {
        PyErr_SetNone(state.pool_terminated);
    }
    return nullptr;
}

// _core_map_range(func, start, step, count, most_in_row, callback, error_callback, limits)
PyObject* pool_map_range(PyObject* self, PyObject* args) {
    PyObject* fn;
    long long start;
    long long step;
    unsigned long long items;
    unsigned int row;
    PyObject* callback;
    PyObject* error_callback;
    PyObject* limits;
    if (!PyArg_ParseTuple(args, "OLLKIOOO:_core_map_range", &fn, &start, &step, &items, &row, &callback,
                          &error_callback, &limits) ||
        !check_callback(callback, "callback") || !check_callback(error_callback, "error_callback") ||
        !ready_for_map(self)) {
        return nullptr;
    }
    JobOptions options = options_of(row, true);
    if (!limits_number(self, limits, options.limits)) return nullptr;
    Job* job = start_range(self, fn, start, step, items, options);
    if (job == nullptr) return no_map(self);
    return new_map_result(core_of(self), job, nullptr, static_cast<Py_ssize_t>(items), callback, error_callback);
}

// _core_map_items(func, items, star, most_in_row, callback, error_callback)
PyObject* pool_map_items(PyObject* self, PyObject* args) {
    PyObject* fn;
    PyObject* list;
    int star;
    unsigned int row;
    PyObject* callback;
    PyObject* error_callback;
    PyObject* limits;
    if (!PyArg_ParseTuple(args, "OO!pIOOO:_core_map_items", &fn, &PyList_Type, &list, &star, &row, &callback,
                          &error_callback, &limits) ||
        !check_callback(callback, "callback") || !check_callback(error_callback, "error_callback") ||
        !ready_for_map(self)) {
        return nullptr;
    }
    JobOptions options = options_of(row, true);
    if (!limits_number(self, limits, options.limits)) return nullptr;
    Ref errors;
    Job* job = start_items(self, fn, list, star != 0 ? Shape::star : Shape::single, options, errors);
    if (job == nullptr) return no_map(self);
    return new_map_result(core_of(self), job, errors.get(), PyList_GET_SIZE(list), callback, error_callback);
}

// _core_imap(func, most_in_row, ordered, workers)
PyObject* pool_imap(PyObject* self, PyObject* args) {
    PyObject* fn;
    unsigned int row;
    int ordered;
    int workers;
    PyObject* limits;
    if (!PyArg_ParseTuple(args, "OIpiO:_core_imap", &fn, &row, &ordered, &workers, &limits) || !ready_for_map(self))
        return nullptr;
    JobOptions options = options_of(row, ordered != 0);
    if (!limits_number(self, limits, options.limits)) return nullptr;
    return new_imap(self, fn, options, workers);
}

PyObject* pool_results(PyObject* self, PyObject*) { return pending_results(core_of(self)); }

}  // namespace

PyMethodDef pool_methods[] = {
    {"apply_async", as_method(pool_apply_async), METH_FASTCALL | METH_KEYWORDS,
     "apply_async($self, func, args=(), kwds={}, callback=None, error_callback=None)\n--\n\n"
     "Calls func(*args, **kwds) in a worker; returns an AsyncResult at once.\n\n"
     "callback is called with the return value, error_callback with the exception, in a thread of the pool. What\n"
     "cannot be pickled fails the result, not this call. Raises ValueError if the pool is not running."},
    {"_core_map_range", pool_map_range, METH_VARARGS, nullptr},
    {"_core_map_items", pool_map_items, METH_VARARGS, nullptr},
    {"_core_imap", pool_imap, METH_VARARGS, nullptr},
    {"_core_results", pool_results, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace hardwork::py
