#include "item_chunk.hpp"

#include <cstring>
#include <utility>

#include "codec_encoder.hpp"

namespace hardwork::py {

bool ItemChunk::end_item() {
    static constexpr std::byte zeros[8] = {};
    return bytes_.append(zeros, (8 - bytes_.size() % 8) % 8);
}

bool ItemChunk::refuse(std::size_t items, std::size_t bytes) {
    offsets_.resize(items);
    bytes_.truncate(bytes);
    PyErr_NoMemory();
    return false;
}

bool ItemChunk::add_number(PyObject* value) {
    std::byte form = kInts;
    std::uint64_t bits = 0;
    if (PyLong_CheckExact(value)) {
        long long number = 0;
        if (!int64_of(value, number)) return false;
        bits = static_cast<std::uint64_t>(number);
    } else if (PyFloat_CheckExact(value)) {
        form = kFloats;
        const double number = PyFloat_AS_DOUBLE(value);
        std::memcpy(&bits, &number, sizeof bits);
    } else {
        return false;
    }
    if (!empty() && form != form_) return false;
    if (!bytes_.append(&bits, sizeof bits)) return false;
    form_ = form;
    return true;
}

bool ItemChunk::spell_out() {
    if (form_ == kItems) return true;
    const bool floats = std::exchange(form_, kItems) == kFloats;
    std::vector<std::uint64_t> numbers(bytes_.size() / sizeof(std::uint64_t));
    if (!numbers.empty()) std::memcpy(numbers.data(), bytes_.data(), bytes_.size());
    bytes_.clear();
    for (const std::uint64_t bits : numbers) {
        double real;
        std::memcpy(&real, &bits, sizeof real);
        const Ref number(floats ? PyFloat_FromDouble(real) : PyLong_FromLongLong(static_cast<long long>(bits)));
        PyObject* only = number.get();
        if (!number || add_call(nullptr, &only, 1) != Added::yes) return false;
    }
    return true;
}

bool ItemChunk::add_nothing() {
    if (!spell_out()) return false;
    const std::size_t items = offsets_.size();
    const std::size_t before = bytes_.size();
    offsets_.push_back(before / 8);
    return (bytes_.append(&kNothing, 1) && end_item()) || refuse(items, before);
}

ItemChunk::Added ItemChunk::add(PyObject* fn, PyObject* const* args, Py_ssize_t count) {
    if (fn == nullptr && count == 1 && offsets_.empty() && add_number(args[0])) return Added::yes;
    return spell_out() ? add_call(fn, args, count) : Added::failed;
}

ItemChunk::Added ItemChunk::add_call(PyObject* fn, PyObject* const* args, Py_ssize_t count) {
    const std::size_t items = offsets_.size();
    const std::size_t before = bytes_.size();
    Pickled pickled;
    const int coded = encode_call(fn, args, count, nullptr, bytes_, pickled);
    if (coded < 0) {
        bytes_.truncate(before);
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return Added::failed;
        const Ref error(take_error());
        if (!add_nothing()) return Added::failed;
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
        return Added::refused;
    }
    offsets_.push_back(before / 8);
    if (coded == 0) {
        const std::size_t size = pickled.size();
        std::byte* to = bytes_.room(size);
        if (to == nullptr) {
            refuse(items, before);
            return Added::failed;
        }
        pickled.write(to);
        bytes_.advance(size);
    }
    return end_item() || refuse(items, before) ? Added::yes : Added::failed;
}

bool ItemChunk::send(Engine& engine, Job* job) {
    const auto count = static_cast<std::uint32_t>(items());
    const bool calls = form_ == kItems;
    if (calls) offsets_.push_back(bytes_.size() / 8);
    const std::size_t table = offsets_.size() * sizeof(std::uint64_t);
    static_assert(sizeof(ItemSpan) == sizeof(NumberSpan));
    Input input;
    if (!engine.allocate(sizeof(ItemSpan) + table + bytes_.size(), input)) {
        if (calls) offsets_.pop_back();
        PyErr_NoMemory();
        return false;
    }
    if (calls) {
        ItemSpan header;
        header.count = count;
        std::memcpy(input.data, &header, sizeof header);
        std::memcpy(input.data + sizeof header, offsets_.data(), table);
    } else {
        NumberSpan header;
        header.form = form_;
        std::memcpy(input.data, &header, sizeof header);
    }
    std::memcpy(input.data + sizeof(ItemSpan) + table, bytes_.data(), bytes_.size());
    engine.add_span(job, input, count);
    if (full_at_ < kMost) full_at_ *= 2;
    clear();
    return true;
}

void ItemChunk::clear() {
    form_ = kItems;
    offsets_.clear();
    bytes_.clear();
}

}  // namespace hardwork::py
