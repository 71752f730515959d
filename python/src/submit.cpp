// The way of a call from Python into the engine: the hot path of the parent.
#include <cstring>

#include "executor_core.hpp"
#include "future.hpp"
#include "map_iterator.hpp"

namespace hardwork::py {

namespace {

constexpr char kMapItems[] = "_core_map_items(fn, items: list, single: bool), items being tuples unless single";

// Copies of this size and more are made without the GIL.
constexpr std::size_t kLargeCopy = std::size_t{1} << 20;

void raise_closed(Errc closed, Engine& engine) {
    raise_error(Error{closed, 0, "the pool belongs to the process that made it, not to a fork of it"}, &engine);
}

bool ensure_started(PyObject* self) {
    if (core_of(self)->engine != nullptr) [[likely]]
        return true;
    const Ref started(PyObject_CallMethod(self, "_start", nullptr));
    if (!started) return false;
    if (core_of(self)->engine != nullptr) return true;
    PyErr_SetString(PyExc_RuntimeError, "hardwork: _start() has not started the engine");
    return false;
}

bool fill_input(Engine& engine, const Writer& codec, const Pickled& pickled, bool coded, Input& input) {
    const std::size_t size = coded ? codec.size() : pickled.size();
    const auto write = [&] {
        if (!engine.allocate(size, input)) return false;
        if (coded) {
            std::memcpy(input.data, codec.data(), size);
        } else {
            pickled.write(input.data);
        }
        return true;
    };
    bool allocated;
    if (size >= kLargeCopy) {
        Py_BEGIN_ALLOW_THREADS allocated = write();
        Py_END_ALLOW_THREADS
    } else {
        allocated = write();
    }
    if (!allocated) PyErr_NoMemory();
    return allocated;
}

// Ordinary exceptions are the future's; KeyboardInterrupt and its like are the caller's.
PyObject* failed() { return PyErr_ExceptionMatches(PyExc_Exception) ? new_failed_future() : nullptr; }

}  // namespace

PyObject* core_submit(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "submit() missing 1 required positional argument: 'fn'");
        return nullptr;
    }
    if (!ensure_started(self)) return nullptr;
    ExecutorCore* core = core_of(self);
    Engine& engine = *core->engine;
    PyObject* fn = args[0];
    std::uint32_t function = 0;
    // A closed pool says so before anything is pickled; submit() below decides for good.
    if (const Errc closed = engine.closed(); closed != Errc::ok) [[unlikely]] {
        raise_closed(closed, engine);
        return nullptr;
    }
    if (!core->functions.number_of(fn, engine, function)) return failed();
    Input input;
    {
        BorrowedWriter writer(core);
        Pickled pickled;
        const int coded =
            encode_call(function == 0 ? fn : nullptr, args + 1, count - 1, kwnames, writer.get(), pickled);
        if (coded < 0) return failed();
        if (!fill_input(engine, writer.get(), pickled, coded == 1, input)) return nullptr;
    }
    Error why;
    Task* task = engine.submit(function, input, why);
    if (task == nullptr) [[unlikely]] {
        engine.discard(input);
        raise_error(why, &engine);
        return nullptr;
    }
    return new_future(core->engine, task);
}

PyObject* core_map_range(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "_core_map_range(fn, start, step, count)");
        return nullptr;
    }
    RangeSpan span;
    span.start = PyLong_AsLongLong(args[1]);
    span.step = PyLong_AsLongLong(args[2]);
    unsigned long long items = PyLong_AsUnsignedLongLong(args[3]);
    if (PyErr_Occurred() || !ensure_started(self)) return nullptr;
    ExecutorCore* core = core_of(self);
    const EngineRef engine = core->engine;
    if (const Errc closed = engine->closed(); closed != Errc::ok) {
        raise_closed(closed, *engine);
        return nullptr;
    }
    std::uint32_t function;
    if (!core->functions.number_of(args[0], *engine, function)) return nullptr;
    if (function == 0) {
        // A callable with state travels with each call, so the numbers do too.
        const Ref list(PyList_New(0));
        for (unsigned long long i = 0; list && i < items; ++i) {
            const Ref item(PyLong_FromLongLong(span.start + span.step * static_cast<long long>(i)));
            if (!item || PyList_Append(list.get(), item.get()) < 0) return nullptr;
        }
        PyObject* all[3] = {args[0], list.get(), Py_True};
        return list ? core_map_items(self, all, 3) : nullptr;
    }
    Error why;
    Job* job = engine->start_job(function, why);
    if (job == nullptr) {
        raise_error(why, engine.get());
        return nullptr;
    }
    constexpr std::uint64_t most = std::uint64_t{1} << 31;  // item numbers in a span have 32 bits
    while (items != 0) {
        const auto part = static_cast<std::uint32_t>(items < most ? items : most);
        Input input;
        engine->allocate(sizeof span, input);  // small: cannot fail
        std::memcpy(input.data, &span, sizeof span);
        engine->add_span(job, input, part);
        items -= part;
        span.start += span.step * static_cast<std::int64_t>(part);
    }
    engine->seal(job);
    return new_map_iterator(engine, job, nullptr);
}

namespace {

// Items on their way into one chunk: their bytes one behind the other, each padded to 8.
class Chunk {
  public:
    // Workers begin while the parent still encodes the rest: the first chunk is there soon, and none is done with
    // before the next one, twice as large, has come. 1 MB is some milliseconds of encoding.
    static constexpr std::size_t kFirst = std::size_t{1} << 13;
    static constexpr std::size_t kMost = std::size_t{1} << 20;

    bool full() const { return bytes_.size() >= full_at_; }
    bool empty() const { return offsets_.empty(); }

    bool begin_item() {
        offsets_.push_back(bytes_.size() / 8);
        return true;
    }
    bool end_item() {
        static constexpr std::byte zeros[8] = {};
        return bytes_.append(zeros, (8 - bytes_.size() % 8) % 8);
    }
    Writer& bytes() { return bytes_; }

    bool send(Engine& engine, Job* job) {
        ItemSpan header;
        header.count = static_cast<std::uint32_t>(offsets_.size());
        const std::size_t table = (offsets_.size() + 1) * sizeof(std::uint64_t);
        Input input;
        if (!engine.allocate(sizeof header + table + bytes_.size(), input)) {
            PyErr_NoMemory();
            return false;
        }
        std::byte* to = input.data;
        std::memcpy(to, &header, sizeof header);
        to += sizeof header;
        offsets_.push_back(bytes_.size() / 8);
        std::memcpy(to, offsets_.data(), table);
        std::memcpy(to + table, bytes_.data(), bytes_.size());
        engine.add_span(job, input, header.count);
        if (full_at_ < kMost) full_at_ *= 2;
        offsets_.clear();
        bytes_.clear();
        return true;
    }

  private:
    std::vector<std::uint64_t> offsets_;  // in units of 8 bytes, from the end of the table
    Writer bytes_;
    std::size_t full_at_ = kFirst;
};

// One call into the chunk; an input that cannot be encoded becomes a skipped item and a kept exception.
bool add_item(Chunk& chunk, PyObject* fn, PyObject* const* args, Py_ssize_t count, std::uint64_t number, Ref& errors) {
    Writer& bytes = chunk.bytes();
    chunk.begin_item();
    const std::size_t before = bytes.size();
    Pickled pickled;
    const int coded = encode_call(fn, args, count, nullptr, bytes, pickled);
    if (coded == 0) {
        const std::size_t size = pickled.size();
        std::byte* to = bytes.room(size);
        if (to == nullptr) {
            PyErr_NoMemory();
            return false;
        }
        pickled.write(to);
        bytes.advance(size);
    } else if (coded < 0) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
        const Ref error(take_error());
        const Ref key(PyLong_FromUnsignedLongLong(number));
        if (!errors) errors = Ref(PyDict_New());
        if (!errors || !key || PyDict_SetItem(errors.get(), key.get(), error.get()) < 0) return false;
        bytes.truncate(before);
        bytes.append(&kNothing, 1);
    }
    if (!chunk.end_item()) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

}  // namespace

PyObject* core_map_items(PyObject* self, PyObject* const* args, Py_ssize_t count) {
    if (count != 3 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, kMapItems);
        return nullptr;
    }
    const bool single = args[2] == Py_True;
    if (!ensure_started(self)) return nullptr;
    ExecutorCore* core = core_of(self);
    const EngineRef engine = core->engine;
    if (const Errc closed = engine->closed(); closed != Errc::ok) {
        raise_closed(closed, *engine);
        return nullptr;
    }
    std::uint32_t function;
    Ref errors;
    if (!core->functions.number_of(args[0], *engine, function)) return nullptr;
    Error why;
    Job* job = engine->start_job(function, why);
    if (job == nullptr) {
        raise_error(why, engine.get());
        return nullptr;
    }
    Chunk chunk;
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(args[1]); ++i) {
        const Ref item = Ref::borrow(PyList_GET_ITEM(args[1], i));
        PyObject* only = item.get();
        PyObject* const* arguments = &only;
        Py_ssize_t arity = 1;
        if (!single) {
            if (!PyTuple_Check(only)) {
                PyErr_SetString(PyExc_TypeError, kMapItems);
                ok = false;
                break;
            }
            arguments = &PyTuple_GET_ITEM(only, 0);
            arity = PyTuple_GET_SIZE(only);
        }
        PyObject* fn = function == 0 ? args[0] : nullptr;
        ok = add_item(chunk, fn, arguments, arity, static_cast<std::uint64_t>(i), errors);
        if (ok && chunk.full()) ok = chunk.send(*engine, job);
    }
    if (ok && !chunk.empty()) ok = chunk.send(*engine, job);
    if (!ok) {
        engine->cancel_rest(job);
        engine->release_job(job);
        return nullptr;
    }
    engine->seal(job);
    return new_map_iterator(engine, job, errors.get());
}

}  // namespace hardwork::py
