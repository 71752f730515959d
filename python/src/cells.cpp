#include "cells.hpp"

#include <cstring>

#include "hardwork/detail/region.hpp"

namespace hardwork::py {

namespace {

constexpr std::size_t kAlignment = 16;                   // as the interpreter's own objects
constexpr std::size_t kMostKept = 12;                    // regions
constexpr std::size_t kTouched = std::size_t{64} << 10;  // a region is a multiple of it

// What the interpreter's allocator is asked for while one object is made.
struct Witness {
    PyMemAllocatorEx below;
    void* first = nullptr;
};

void* witness_malloc(void* context, std::size_t size) {
    auto& witness = *static_cast<Witness*>(context);
    void* made = witness.below.malloc(witness.below.ctx, size);
    if (witness.first == nullptr) witness.first = made;
    return made;
}
void* witness_calloc(void* context, std::size_t count, std::size_t size) {
    auto& witness = *static_cast<Witness*>(context);
    return witness.below.calloc(witness.below.ctx, count, size);
}
void* witness_realloc(void* context, void* old, std::size_t size) {
    auto& witness = *static_cast<Witness*>(context);
    return witness.below.realloc(witness.below.ctx, old, size);
}
void witness_free(void* context, void* old) {
    auto& witness = *static_cast<Witness*>(context);
    witness.below.free(witness.below.ctx, old);
}

// Those that serve a type, and how many pools there are.
constexpr std::size_t kMostTypes = 2;
Cells* serving[kMostTypes];
std::size_t types = 0;
std::size_t pools = 0;

// How many bytes the interpreter keeps in front of an object of that type: the collector's links, and where its attributes
// are. It differs from version to version, and no function tells; so one is made and looked at. 0: it cannot be seen.
std::size_t bytes_in_front(PyTypeObject* type) {
#ifdef Py_TRACE_REFS
    return 0;  // such an interpreter keeps a list of all objects, and misses one that goes unseen
#endif
    Witness witness;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &witness.below);
    PyMemAllocatorEx above{&witness, witness_malloc, witness_calloc, witness_realloc, witness_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &above);
    PyObject* object = _PyObject_GC_New(type);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &witness.below);
    if (object == nullptr) {
        PyErr_Clear();
        return 0;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(witness.first);
    const auto at = reinterpret_cast<std::uintptr_t>(object);
    PyObject_GC_Del(object);
    Py_DECREF(type);
    constexpr std::size_t kMost = 64;
    return begin != 0 && at > begin && at - begin <= kMost && (at - begin) % sizeof(void*) == 0 ? at - begin : 0;
}

}  // namespace

struct Cells::Free {
    Free* next;
};

// Begins at a multiple of its size, so that it is found from a cell.
struct Cells::Region {
    Region* before;
    Region* after;
    Free* free;          // cells that were used and are free
    std::byte* unused;   // the first of those behind which all are free
    std::byte* touched;  // what lies before has its pages
    std::size_t taken;
    bool listed;  // in the list of partial ones

    std::byte* first() {
        constexpr std::size_t head = (sizeof(Region) + kAlignment - 1) / kAlignment * kAlignment;
        return reinterpret_cast<std::byte*>(this) + head;
    }

    bool full(std::size_t cell) const {
        return free == nullptr && unused + cell > reinterpret_cast<const std::byte*>(this) + detail::kRegionBytes;
    }
};

void Cells::serve(PyTypeObject* type) {
    if (types == kMostTypes) return;
    type_ = type;
    in_front_ = bytes_in_front(type);
    if (in_front_ == 0) return;
    const std::size_t size = in_front_ + static_cast<std::size_t>(type->tp_basicsize);
    cell_ = (size + kAlignment - 1) / kAlignment * kAlignment;
    serving[types++] = this;
}

void Cells::unlink(Region& region) {
    (region.before != nullptr ? region.before->after : partial_) = region.after;
    if (region.after != nullptr) region.after->before = region.before;
    region.listed = false;
}

// The current region is full: another one.
bool Cells::refill() {
    if (partial_ != nullptr) {
        current_ = partial_;
        unlink(*current_);
        return true;
    }
    if (kept_ != nullptr) {
        current_ = std::exchange(kept_, kept_->after);
        --kept_count_;
    } else {
        // A program with few of them shall not pay for 2 MB.
        void* memory = detail::take_region(regions_ != 0);
        if (memory == nullptr) return false;
        current_ = static_cast<Region*>(memory);
        current_->touched = static_cast<std::byte*>(memory);
        current_->unused = current_->first();
    }
    ++regions_;
    return true;
}

PyObject* Cells::take() {
    if (cell_ == 0 || ((current_ == nullptr || current_->full(cell_)) && !refill())) return nullptr;
    Region& region = *current_;
    std::byte* cell;
    if (region.free != nullptr) {
        cell = reinterpret_cast<std::byte*>(region.free);
        region.free = region.free->next;
    } else {
        cell = region.unused;
        region.unused += cell_;
        if (region.unused > region.touched) [[unlikely]] {
            detail::touch(region.touched, kTouched);
            region.touched += kTouched;
        }
    }
    ++region.taken;
    std::memset(cell, 0, cell_);
    return PyObject_Init(reinterpret_cast<PyObject*>(cell + in_front_), type_);
}

void Cells::put_back(PyObject* self) {
    auto* const cell = reinterpret_cast<std::byte*>(self) - in_front_;
    const auto address = reinterpret_cast<std::uintptr_t>(cell);
    auto& region = *reinterpret_cast<Region*>(address & ~(detail::kRegionBytes - 1));
    region.free = new (cell) Free{region.free};
    if (--region.taken == 0) {
        // From its begin to its end again, and not in the order in which they were freed.
        region.free = nullptr;
        region.unused = region.first();
        if (&region != current_) retire(region);
        return;
    }
    if (region.listed || &region == current_) return;
    region.listed = true;
    region.before = nullptr;
    region.after = partial_;
    if (partial_ != nullptr) partial_->before = &region;
    partial_ = &region;
}

// All its cells are free.
void Cells::retire(Region& region) {
    if (region.listed) unlink(region);
    --regions_;
    if (pools == 0 || kept_count_ == kMostKept) {
        detail::give_back_region(&region);
        return;
    }
    region.after = kept_;
    kept_ = &region;
    ++kept_count_;
}

void Cells::trim() {
    if (current_ != nullptr && current_->taken == 0) retire(*std::exchange(current_, nullptr));
    while (kept_ != nullptr)
        detail::give_back_region(std::exchange(kept_, kept_->after));
    kept_count_ = 0;
}

void Cells::trim_all() {
    for (std::size_t i = 0; i < types; ++i)
        serving[i]->trim();
}

void Cells::pool_begins() {
    ++pools;
    trim_all();
}

void Cells::pool_ends() {
    --pools;
    trim_all();
}

}  // namespace hardwork::py
