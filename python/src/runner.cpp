#include "runner.hpp"

#include <cstring>

#include "payload.hpp"

namespace hardwork::py {

namespace {

constexpr Py_ssize_t kFewArguments = 16;

// Item `index` of an 'I' span. Empty if the table is damaged.
std::span<const std::byte> item_of(std::span<const std::byte> bytes, std::uint32_t index) {
    ItemSpan header;
    if (bytes.size() < sizeof header) return {};
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::uint64_t table = (std::uint64_t{header.count} + 1) * sizeof(std::uint64_t);
    if (index >= header.count || bytes.size() - sizeof header < table) return {};
    std::uint64_t ends[2];
    std::memcpy(ends, bytes.data() + sizeof header + index * sizeof(std::uint64_t), sizeof ends);
    const std::uint64_t items = bytes.size() - sizeof header - table;
    if (ends[0] > ends[1] || ends[1] > items / 8) return {};
    return bytes.subspan(sizeof header + table + ends[0] * 8, (ends[1] - ends[0]) * 8);
}

PyObject* number_in_range(std::span<const std::byte> bytes, std::uint32_t index) {
    RangeSpan span;
    std::memcpy(&span, bytes.data(), sizeof span);
    return PyLong_FromLongLong(span.item(index));
}

// The number of item `index` of an 'N' or 'F' span. With a Python error if there is no such item.
PyObject* number_of(std::span<const std::byte> bytes, std::uint32_t index) {
    const std::size_t at = sizeof(NumberSpan) + index * sizeof(std::uint64_t);
    if (bytes.size() < at + sizeof(std::uint64_t)) {
        PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
        return nullptr;
    }
    if (bytes[0] == kInts) {
        std::int64_t number;
        std::memcpy(&number, bytes.data() + at, sizeof number);
        return PyLong_FromLongLong(number);
    }
    double number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return PyFloat_FromDouble(number);
}

}  // namespace

PythonRunner::~PythonRunner() {
    for (PyObject* function : functions_)
        Py_XDECREF(function);
    for (PyObject* error : broken_)
        Py_XDECREF(error);
}

bool PythonRunner::initialize(Output& out) {
    if (load_pickling() == 0) {
        on_refusal_ = Ref(PyObject_CallNoArgs(initialize_));
        if (on_refusal_) return true;
    }
    encode_error(out);
    return false;
}

void PythonRunner::define(std::uint32_t function, std::span<const std::byte> code) {
    if (function >= functions_.size()) {
        functions_.resize(function + 1);
        broken_.resize(function + 1);
    }
    Py_CLEAR(functions_[function]);
    Py_CLEAR(broken_[function]);
    const Ref data(
        PyBytes_FromStringAndSize(reinterpret_cast<const char*>(code.data()), static_cast<Py_ssize_t>(code.size())));
    if (data) functions_[function] = PyObject_CallOneArg(state.loads, data.get());
    if (functions_[function] != nullptr) return;
    broken_[function] = take_error();
}

PyObject* PythonRunner::call_pickled(PyObject* fn, std::span<const std::byte> bytes, PhaseMark& phase) {
    const Ref decoded(load_pickled(bytes));
    if (!decoded) return nullptr;
    const Py_ssize_t size = PyTuple_Check(decoded.get()) ? PyTuple_GET_SIZE(decoded.get()) : 0;
    if (size != (fn != nullptr ? 2 : 3)) {
        PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
        return nullptr;
    }
    const Ref function = Ref::borrow(fn != nullptr ? fn : PyTuple_GET_ITEM(decoded.get(), 0));
    PyObject* named = PyTuple_GET_ITEM(decoded.get(), size - 1);
    phase.enter(Phase::run);
    return PyObject_Call(function.get(), PyTuple_GET_ITEM(decoded.get(), size - 2), named == Py_None ? nullptr : named);
}

PyObject* PythonRunner::call(const Invocation& call, std::span<const std::byte> bytes, PhaseMark& phase,
                             bool& skipped) {
    PyObject* fn = nullptr;
    if (call.function != 0) {
        fn = call.function < functions_.size() ? functions_[call.function] : nullptr;
        if (fn == nullptr) {
            PyObject* why = call.function < broken_.size() ? broken_[call.function] : nullptr;
            if (why != nullptr) {
                PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(why)), why);
            } else {
                PyErr_SetString(PyExc_SystemError, "hardwork: the function never arrived");
            }
            return nullptr;
        }
    }
    if (call.unreadable) {
        PyErr_SetString(PyExc_MemoryError, "the worker has no address space for the call's arguments");
        return nullptr;
    }
    if (bytes.empty()) {
        PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
        return nullptr;
    }
    const std::byte form = bytes[0];
    const bool range = form == kRange && bytes.size() == sizeof(RangeSpan);
    if (fn != nullptr && (range || (call.is_item && (form == kInts || form == kFloats)))) {
        const Ref number(range ? number_in_range(bytes, call.index) : number_of(bytes, call.index));
        if (!number) return nullptr;
        phase.enter(Phase::run);
        PyObject* arguments[2] = {nullptr, number.get()};
        return PyObject_Vectorcall(fn, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
    }
    if (form == kCodec && fn != nullptr) {
        PyObject* few[kFewArguments + 1];
        const std::byte* cursor = bytes.data() + 1;
        const std::byte* end = bytes.data() + bytes.size();
        Py_ssize_t count = -1;
        std::vector<PyObject*> many;
        PyObject** arguments = few + 1;
        const Py_ssize_t wanted = args_count(cursor, end);
        if (wanted > kFewArguments) {
            many.resize(static_cast<std::size_t>(wanted) + 1);
            arguments = many.data() + 1;
        }
        count = decode_args(cursor, end, arguments, wanted > kFewArguments ? wanted : kFewArguments);
        if (count < 0) return nullptr;
        phase.enter(Phase::run);
        PyObject* value = PyObject_Vectorcall(
            fn, arguments, static_cast<std::size_t>(count) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
        for (Py_ssize_t i = 0; i < count; ++i)
            Py_DECREF(arguments[i]);
        return value;
    }
    if (form == kPickle) return call_pickled(fn, bytes, phase);
    if (form == kNothing) {
        skipped = true;
        return nullptr;
    }
    PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
    return nullptr;
}

Outcome PythonRunner::run(const Invocation& call, PhaseMark& phase, Output& out) {
    phase.enter(Phase::decode);
    std::span<const std::byte> bytes = call.payload;
    if (call.is_item && !bytes.empty() && bytes[0] == kItems) bytes = item_of(bytes, call.index);
    bool skipped = false;
    PyObject* value = this->call(call, bytes, phase, skipped);
    phase.enter(Phase::encode);
    if (value != nullptr) [[likely]] {
        const Outcome outcome = encode_result(value, out);
        Py_DECREF(value);
        return outcome;
    }
    if (skipped) {
        out.allocate(1);
        out.finish(0);
        return Outcome::skipped;
    }
    return encode_error(out);
}

Outcome PythonRunner::encode_result(PyObject* value, Output& out) {
    writer_.clear();
    writer_.append(&kCodec, 1);
    const int coded = encode_value(value, writer_);
    if (coded == 1) {
        std::byte* to = out.allocate(writer_.size());
        if (to != nullptr) [[likely]] {
            std::memcpy(to, writer_.data(), writer_.size());
            out.finish(writer_.size());
            return Outcome::value;
        }
        PyErr_NoMemory();
        return encode_error(out);
    }
    Pickled pickled;
    if (coded < 0 || pickled.dump(value, true) < 0) {
        wrap_refusal(value);
        return encode_error(out);
    }
    const std::size_t size = pickled.size();
    std::byte* to = out.allocate(size);
    if (to == nullptr) {
        PyErr_NoMemory();
        return encode_error(out);
    }
    pickled.write(to);
    out.finish(size);
    return Outcome::value;
}

// The result cannot be encoded: the error that says so, in the words of the face.
void PythonRunner::wrap_refusal(PyObject* value) {
    if (on_refusal_.get() == Py_None || !PyErr_ExceptionMatches(PyExc_Exception)) return;
    const Ref error(take_error());
    const Ref wrapped(PyObject_CallFunctionObjArgs(on_refusal_.get(), error.get(), value, nullptr));
    if (!wrapped) return;  // repr() of the value has raised: that is the error then
    if (PyExceptionInstance_Check(error.get()) != 0) PyException_SetContext(wrapped.get(), Py_NewRef(error.get()));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(wrapped.get())), wrapped.get());
}

Outcome PythonRunner::encode_error(Output& out) {
    const Ref error(take_error());
    // A Ctrl-C may come in the middle of this too; the second one is not lost, it is this error's own kind.
    for (int attempt = 0; attempt < 2; ++attempt) {
        const Ref bytes(error && state.encode_exception != nullptr
                            ? PyObject_CallOneArg(state.encode_exception, error.get())
                            : nullptr);
        if (bytes && PyBytes_Check(bytes.get())) {
            const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()));
            std::byte* to = out.allocate(size);
            if (to != nullptr) {
                std::memcpy(to, PyBytes_AS_STRING(bytes.get()), size);
                out.finish(size);
                return Outcome::exception;
            }
        }
        PyErr_Clear();
    }
    out.allocate(1);
    out.finish(0);  // no memory even for the error: the parent says so
    return Outcome::exception;
}

void PythonRunner::interrupted() {
    // Between tasks a Ctrl-C has nobody to interrupt: it was meant for the parent, which got it too.
    if (PyErr_CheckSignals() < 0) PyErr_Clear();
}

}  // namespace hardwork::py
