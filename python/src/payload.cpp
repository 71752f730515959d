#include "payload.hpp"

#include <cstring>

namespace hardwork::py {

namespace {

struct PickleHeader {
    std::byte form = kPickle;
    std::byte pad[3] = {};
    std::uint32_t buffers = 0;
    std::uint64_t pickle_length = 0;
};
struct BufferHeader {
    std::uint64_t length;
    std::uint64_t read_only;
};

int damaged() {
    PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
    return -1;
}

}  // namespace

void Pickled::release() {
    for (Py_ssize_t i = 0; i < count_; ++i)
        PyBuffer_Release(&buffers_[i]);
    PyMem_Free(buffers_);
    buffers_ = nullptr;
    count_ = 0;
}

int Pickled::dump(PyObject* object, bool result_only) {
    if (load_pickling() < 0) return -1;
    const Ref pair(PyObject_CallOneArg(result_only ? state.dumps_result : state.dumps, object));
    if (!pair) return -1;
    if (!PyTuple_Check(pair.get()) || PyTuple_GET_SIZE(pair.get()) != 2) return damaged();
    data_ = Ref::borrow(PyTuple_GET_ITEM(pair.get(), 0));
    PyObject* buffers = PyTuple_GET_ITEM(pair.get(), 1);
    const Py_ssize_t count = PyList_Size(buffers);
    if (count < 0 || !PyBytes_Check(data_.get())) return damaged();
    if (count == 0) return 0;
    buffers_ = static_cast<Py_buffer*>(PyMem_Calloc(static_cast<std::size_t>(count), sizeof(Py_buffer)));
    if (buffers_ == nullptr) {
        PyErr_NoMemory();
        return -1;
    }
    for (; count_ < count; ++count_) {
        // raw(): contiguous bytes whatever the shape; the view keeps the exporter alive.
        const Ref raw(PyObject_CallMethod(PyList_GET_ITEM(buffers, count_), "raw", nullptr));
        if (!raw || PyObject_GetBuffer(raw.get(), &buffers_[count_], PyBUF_SIMPLE) < 0) return -1;
    }
    return 0;
}

std::size_t Pickled::size() const {
    std::size_t size = sizeof(PickleHeader) + static_cast<std::size_t>(PyBytes_GET_SIZE(data_.get()));
    for (Py_ssize_t i = 0; i < count_; ++i)
        size += sizeof(BufferHeader) + static_cast<std::size_t>(buffers_[i].len);
    return size;
}

void Pickled::write(std::byte* to) const {
    PickleHeader header;
    header.buffers = static_cast<std::uint32_t>(count_);
    header.pickle_length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(data_.get()));
    std::memcpy(to, &header, sizeof header);
    to += sizeof header;
    for (Py_ssize_t i = 0; i < count_; ++i) {
        const BufferHeader buffer{static_cast<std::uint64_t>(buffers_[i].len),
                                  static_cast<std::uint64_t>(buffers_[i].readonly != 0)};
        std::memcpy(to, &buffer, sizeof buffer);
        to += sizeof buffer;
    }
    std::memcpy(to, PyBytes_AS_STRING(data_.get()), header.pickle_length);
    to += header.pickle_length;
    for (Py_ssize_t i = 0; i < count_; ++i) {
        if (buffers_[i].len != 0) std::memcpy(to, buffers_[i].buf, static_cast<std::size_t>(buffers_[i].len));
        to += buffers_[i].len;
    }
}

PyObject* load_pickled(std::span<const std::byte> bytes) {
    if (load_pickling() < 0) return nullptr;
    PickleHeader header;
    if (bytes.size() < sizeof header) return damaged(), nullptr;
    std::memcpy(&header, bytes.data(), sizeof header);
    std::size_t at = sizeof header;
    if (header.buffers > (bytes.size() - at) / sizeof(BufferHeader)) return damaged(), nullptr;
    const std::size_t table = at;
    at += header.buffers * sizeof(BufferHeader);
    if (header.pickle_length > bytes.size() - at) return damaged(), nullptr;
    const std::byte* pickle = bytes.data() + at;
    at += header.pickle_length;
    const Ref buffers(PyList_New(header.buffers));
    if (!buffers) return nullptr;
    for (std::uint32_t i = 0; i < header.buffers; ++i) {
        BufferHeader buffer;
        std::memcpy(&buffer, bytes.data() + table + i * sizeof buffer, sizeof buffer);
        if (buffer.length > bytes.size() - at) return damaged(), nullptr;
        const char* content = reinterpret_cast<const char*>(bytes.data() + at);
        const auto length = static_cast<Py_ssize_t>(buffer.length);
        // The receiver owns what it gets, writable unless the sender's was not.
        PyObject* copy = buffer.read_only != 0 ? PyBytes_FromStringAndSize(content, length)
                                               : PyByteArray_FromStringAndSize(content, length);
        if (copy == nullptr) return nullptr;
        PyList_SET_ITEM(buffers.get(), i, copy);
        at += buffer.length;
    }
    // The pickle is read in place; what it makes owns its own memory.
    const Ref view(PyMemoryView_FromMemory(const_cast<char*>(reinterpret_cast<const char*>(pickle)),
                                           static_cast<Py_ssize_t>(header.pickle_length), PyBUF_READ));
    if (!view) return nullptr;
    return PyObject_CallFunctionObjArgs(state.loads, view.get(), buffers.get(), nullptr);
}

PyObject* load_value(std::span<const std::byte> bytes) {
    if (bytes.empty()) return damaged(), nullptr;
    if (bytes[0] == kCodec) {
        const std::byte* cursor = bytes.data() + 1;
        return decode_value(cursor, bytes.data() + bytes.size());
    }
    if (bytes[0] == kPickle) return load_pickled(bytes);
    return damaged(), nullptr;
}

int encode_call(PyObject* fn, PyObject* const* args, Py_ssize_t count, PyObject* kwnames, Writer& codec,
                Pickled& pickled) {
    const Py_ssize_t keywords = kwnames != nullptr ? PyTuple_GET_SIZE(kwnames) : 0;
    if (fn == nullptr && keywords == 0) {
        if (!codec.append(&kCodec, 1)) {
            PyErr_NoMemory();
            return -1;
        }
        const int taken = encode_args(args, count, codec);
        if (taken != 0) return taken;
        codec.truncate(codec.size() - 1);
    }
    const Ref positional(PyTuple_New(count));
    if (!positional) return -1;
    for (Py_ssize_t i = 0; i < count; ++i)
        PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
    Ref named = Ref::borrow(Py_None);
    if (keywords != 0) {
        named = Ref(PyDict_New());
        if (!named) return -1;
        for (Py_ssize_t i = 0; i < keywords; ++i) {
            if (PyDict_SetItem(named.get(), PyTuple_GET_ITEM(kwnames, i), args[count + i]) < 0) return -1;
        }
    }
    const Ref call(fn != nullptr ? PyTuple_Pack(3, fn, positional.get(), named.get())
                                 : PyTuple_Pack(2, positional.get(), named.get()));
    if (!call) return -1;
    return pickled.dump(call.get(), false) < 0 ? -1 : 0;
}

}  // namespace hardwork::py
