#include "map_input.hpp"

#include <cstring>

#include "item_chunk.hpp"

namespace hardwork::py {

namespace {

// The arguments of one item, borrowed from it or from `own`. False with a Python error.
bool arguments_of(PyObject*& item, Shape shape, Ref& own, PyObject* const*& arguments, Py_ssize_t& count) {
    if (shape == Shape::single) {
        arguments = &item;
        count = 1;
        return true;
    }
    PyObject* tuple = item;
    if (!PyTuple_Check(item)) {
        if (shape == Shape::tuples) {
            PyErr_SetString(PyExc_TypeError, "hardwork: an item is not the tuple of its arguments");
            return false;
        }
        own = Ref(arguments_tuple(item, "an item of starmap"));
        if (!own) return false;
        tuple = own.get();
    }
    arguments = &PyTuple_GET_ITEM(tuple, 0);
    count = PyTuple_GET_SIZE(tuple);
    return true;
}

bool is_plain(PyObject* object) {
    return PyLong_CheckExact(object) || PyUnicode_CheckExact(object) || PyFloat_CheckExact(object) ||
           PyBytes_CheckExact(object);
}

// Whether an item is encoded without running Python code: then nobody can take it away meanwhile, and no reference need
// be held. A count that is left alone matters: after a fork of this process the first write to a page copies it.
bool is_safe_borrowed(PyObject* item, Shape shape) {
    if (shape == Shape::single) return is_plain(item);
    if (!PyTuple_CheckExact(item)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(item); ++i) {
        if (!is_plain(PyTuple_GET_ITEM(item, i))) return false;
    }
    return true;
}

bool keep_error(Ref& errors, std::uint64_t number) {
    const Ref error(take_error());
    const Ref key(PyLong_FromUnsignedLongLong(number));
    if (!errors) errors = Ref(PyDict_New());
    return errors && key && PyDict_SetItem(errors.get(), key.get(), error.get()) == 0;
}

// One call into the chunk; an input that cannot be encoded becomes a skipped item and a kept exception.
bool add_item(ItemChunk& chunk, PyObject* fn, PyObject* item, Shape shape, std::uint64_t number, Ref& errors) {
    Ref own;
    PyObject* const* arguments = nullptr;
    Py_ssize_t count = 0;
    if (!arguments_of(item, shape, own, arguments, count)) {
        if (shape == Shape::tuples || !PyErr_ExceptionMatches(PyExc_Exception)) return false;
        return keep_error(errors, number) && chunk.add_nothing();
    }
    switch (chunk.add(fn, arguments, count)) {
        case ItemChunk::Added::yes: return true;
        case ItemChunk::Added::refused: return keep_error(errors, number);
        case ItemChunk::Added::failed: break;
    }
    return false;
}

}  // namespace

PyObject* arguments_tuple(PyObject* object, const char* what) {
    if (Py_TYPE(object)->tp_iter == nullptr && PySequence_Check(object) == 0) {
        PyErr_Format(PyExc_TypeError, "%s must be an iterable of arguments, not %.200R (%s)", what, object,
                     Py_TYPE(object)->tp_name);
        return nullptr;
    }
    return PySequence_Tuple(object);
}

Job* start_empty(PyObject* core, PyObject* fn, const JobOptions& options, std::uint32_t& function) {
    if (!ensure_started(core)) return nullptr;
    const EngineRef engine = core_of(core)->engine;
    if (const Errc closed = engine->closed(); closed != Errc::ok) {
        raise_closed(closed, *engine);
        return nullptr;
    }
    if (!core_of(core)->functions.number_of(fn, *engine, function)) return nullptr;
    Error why;
    Job* job = engine->start_job(function, options, why);
    if (job == nullptr) raise_error(why, engine.get());
    return job;
}

void add_range(Engine& engine, Job* job, std::int64_t start, std::int64_t step, std::uint64_t items) {
    RangeSpan span;
    span.start = start;
    span.step = step;
    constexpr std::uint64_t most = std::uint64_t{1} << 31;  // item numbers in a span have 32 bits
    while (items != 0) {
        const auto part = static_cast<std::uint32_t>(items < most ? items : most);
        Input input;
        engine.allocate(sizeof span, input);  // small: cannot fail
        std::memcpy(input.data, &span, sizeof span);
        engine.add_span(job, input, part);
        items -= part;
        span.start = span.item(part);
    }
}

Job* start_range(PyObject* core, PyObject* fn, std::int64_t start, std::int64_t step, std::uint64_t items,
                 const JobOptions& options) {
    std::uint32_t function;
    Job* job = start_empty(core, fn, options, function);
    if (job == nullptr) return nullptr;
    const EngineRef engine = core_of(core)->engine;
    if (function != 0) {
        add_range(*engine, job, start, step, items);
        engine->seal(job);
        return job;
    }
    // A callable with state travels with each call, so the numbers do too.
    RangeSpan numbers;
    numbers.start = start;
    numbers.step = step;
    ItemChunk chunk;
    bool ok = true;
    for (std::uint64_t i = 0; ok && i < items; ++i) {
        const Ref item(PyLong_FromLongLong(numbers.item(i)));
        PyObject* only = item.get();
        ok = item && chunk.add(fn, &only, 1) == ItemChunk::Added::yes &&
             (!chunk.full_for(options.most_in_row) || chunk.send(*engine, job));
    }
    if (ok && !chunk.empty()) ok = chunk.send(*engine, job);
    if (ok) {
        engine->seal(job);
        return job;
    }
    engine->cancel_rest(job);
    engine->release_job(job);
    return nullptr;
}

Job* start_items(PyObject* core, PyObject* fn, PyObject* list, Shape shape, const JobOptions& options, Ref& errors) {
    std::uint32_t function;
    Job* job = start_empty(core, fn, options, function);
    if (job == nullptr) return nullptr;
    const EngineRef engine = core_of(core)->engine;
    PyObject* with_each = function == 0 ? fn : nullptr;
    ItemChunk chunk;
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(list); ++i) {
        PyObject* item = PyList_GET_ITEM(list, i);
        // Encoding may run Python, which may change the list.
        const Ref held = with_each == nullptr && is_safe_borrowed(item, shape) ? Ref() : Ref::borrow(item);
        ok = add_item(chunk, with_each, item, shape, static_cast<std::uint64_t>(i), errors);
        if (ok && chunk.full_for(options.most_in_row)) ok = chunk.send(*engine, job);
    }
    if (ok && !chunk.empty()) ok = chunk.send(*engine, job);
    if (ok) {
        engine->seal(job);
        return job;
    }
    engine->cancel_rest(job);
    engine->release_job(job);
    return nullptr;
}

}  // namespace hardwork::py
