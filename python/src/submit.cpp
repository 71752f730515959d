// The methods of ExecutorCore. The way of a call from Python into the engine: the hot path of the parent.
#include <cstring>

#include "core.hpp"
#include "future.hpp"
#include "limits.hpp"

namespace hardwork::py {

namespace {

// Copies of this size and more are made without the GIL.
constexpr std::size_t kLargeCopy = std::size_t{1} << 20;

bool fill_input(Engine& engine, const Writer& codec, const Pickled& pickled, bool coded, Input& input) {
    const std::size_t size = coded ? codec.size() : pickled.size();
    if (coded && size <= sizeof input.small) {
        // Most calls. All of `small`, since a length that the compiler knows is three moves; the codec has room for more.
        static_assert(Writer::kInline >= sizeof input.small);
        std::memcpy(input.small, codec.data(), sizeof input.small);
        input.data = input.small;
        input.length = size;
        return true;
    }
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

}  // namespace

Encoded encode_input(Core* core, PyObject* fn, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                     Input& input) {
    BorrowedWriter writer(core);
    Pickled pickled;
    const int coded = encode_call(fn, args, count, kwnames, writer.get(), pickled);
    if (coded < 0) return PyErr_ExceptionMatches(PyExc_Exception) ? Encoded::refused : Encoded::failed;
    return fill_input(*core->engine, writer.get(), pickled, coded == 1, input) ? Encoded::yes : Encoded::failed;
}

namespace {

// Ordinary exceptions are the future's; KeyboardInterrupt and its like are the caller's.
PyObject* failed() { return PyErr_ExceptionMatches(PyExc_Exception) ? new_failed_future() : nullptr; }

}  // namespace

PyObject* submit_limited(PyObject* self, PyObject* limits, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "submit() missing 1 required positional argument: 'fn'");
        return nullptr;
    }
    std::uint32_t number = 0;
    if (!ensure_started(self) || (limits != nullptr && !limits_number(self, limits, number))) return nullptr;
    Core* core = core_of(self);
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
    switch (encode_input(core, function == 0 ? fn : nullptr, args + 1, count - 1, kwnames, input)) {
        case Encoded::yes: break;
        case Encoded::refused:
            engine.demand_worker();  // who looks at the workers then finds one, as with the original
            return failed();
        case Encoded::failed: return nullptr;
    }
    Error why;
    Task* task = engine.submit(function, input, number, why);
    if (task == nullptr) [[unlikely]] {
        engine.discard(input);
        raise_error(why, &engine);
        return nullptr;
    }
    return new_future(core->engine, task);
}

namespace {

PyObject* core_submit(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
    return submit_limited(self, nullptr, args, count, kwnames);
}

}  // namespace

PyMethodDef executor_methods[] = {
    {"submit", as_method(core_submit), METH_FASTCALL | METH_KEYWORDS,
     "submit($self, fn, /, *args, **kwargs)\n--\n\n"
     "Schedules fn(*args, **kwargs) in a worker and returns its Future.\n\n"
     "An argument that cannot be pickled fails the future, not this call. Raises RuntimeError after shutdown and\n"
     "BrokenProcessPool if workers cannot be started."},
    {"_core_map_range", as_method(core_map_range), METH_FASTCALL, nullptr},
    {"_core_map_items", as_method(core_map_items), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace hardwork::py
