#include "functions.hpp"

namespace hardwork::py {

namespace {
// More functions than this are hardly used in turn; what is dropped is sent again when it comes back.
constexpr std::size_t kMostKnown = 512;
}  // namespace

bool Functions::number_of(PyObject* fn, Engine& engine, std::uint32_t& number) {
    if (fn == last_) {
        number = last_number_;
        return true;
    }
    const auto found = known_.find(fn);
    if (found == known_.end()) return add(fn, engine, number);
    Known& known = found->second;
    if (known.fingerprint == nullptr) {
        last_ = fn;
        last_number_ = number = known.number;
        return true;
    }
    // By value: closure cells and globals may have changed since it was sent.
    const Ref now(ask(state.function_fingerprint, fn));
    if (!now) return false;
    const int same = PyObject_RichCompareBool(now.get(), known.fingerprint, Py_EQ);
    if (same < 0) return false;
    const auto again = known_.find(fn);  // the comparison ran Python
    if (same == 1 && again != known_.end()) {
        number = again->second.number;
        return true;
    }
    if (again != known_.end()) {
        Known old = again->second;
        known_.erase(again);
        engine.forget(old.number);
        Py_XDECREF(old.fingerprint);
        Py_DECREF(old.fn);
    }
    return add(fn, engine, number);
}

// helper(fn, start_method=...)
PyObject* Functions::ask(PyObject* helper, PyObject* fn) const {
    const Ref keywords(start_method != nullptr ? Py_BuildValue("{ss}", "start_method", start_method) : PyDict_New());
    const Ref arguments(PyTuple_Pack(1, fn));
    return keywords && arguments ? PyObject_Call(helper, arguments.get(), keywords.get()) : nullptr;
}

bool Functions::add(PyObject* fn, Engine& engine, std::uint32_t& number) {
    number = 0;
    if (load_pickling() < 0) return false;
    const Ref fingerprint(ask(state.function_fingerprint, fn));
    if (!fingerprint) return false;
    const Ref code(ask(state.dumps_function, fn));
    if (!code) return false;
    if (code.get() == Py_None) return true;
    char* bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(code.get(), &bytes, &length) < 0) return false;
    const auto found = known_.find(fn);  // pickling ran Python, which may have added it
    if (found != known_.end()) {
        number = found->second.number;
        return true;
    }
    if (known_.size() >= kMostKnown) clear(&engine);
    number = engine.define({reinterpret_cast<const std::byte*>(bytes), static_cast<std::size_t>(length)});
    if (number == 0) {
        PyErr_NoMemory();
        return false;
    }
    Known known{Py_NewRef(fn), fingerprint.get() == Py_None ? nullptr : Py_NewRef(fingerprint.get()), number};
    known_.emplace(fn, known);
    if (known.fingerprint == nullptr) {
        last_ = fn;
        last_number_ = number;
    }
    return true;
}

void Functions::clear(Engine* engine) {
    last_ = nullptr;
    std::unordered_map<PyObject*, Known> old;
    old.swap(known_);
    for (auto& [fn, known] : old) {
        if (engine != nullptr) engine->forget(known.number);
        Py_XDECREF(known.fingerprint);
        Py_DECREF(known.fn);
    }
}

int Functions::traverse(visitproc visit, void* arg) const {
    for (const auto& [fn, known] : known_) {
        Py_VISIT(known.fn);
        Py_VISIT(known.fingerprint);
    }
    return 0;
}

}  // namespace hardwork::py
