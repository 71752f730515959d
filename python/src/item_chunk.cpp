#include "item_chunk.hpp"

#include <cstring>

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

bool ItemChunk::add_nothing() {
    const std::size_t items = offsets_.size();
    const std::size_t before = bytes_.size();
    offsets_.push_back(before / 8);
    return (bytes_.append(&kNothing, 1) && end_item()) || refuse(items, before);
}

ItemChunk::Added ItemChunk::add(PyObject* fn, PyObject* const* args, Py_ssize_t count) {
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
    clear();
    return true;
}

void ItemChunk::clear() {
    offsets_.clear();
    bytes_.clear();
}

}  // namespace hardwork::py
