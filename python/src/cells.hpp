// Where futures and results live: cells of one size in regions of 2 MB, in place of the interpreter's own allocator.
//
// A million of them are a hundred megabytes, and half of what making one costs is then page faults: the interpreter's
// allocator touches 4 KB at a time, and keeps pages that a fork has made shared, so that each has to be copied at the next
// write. A region is one fault where the system has large pages, and goes back when its last cell is free.
#pragma once

#include "state.hpp"

namespace hardwork::py {

// Of one type, under the GIL. Its objects are the garbage collector's like any others once they are tracked.
class Cells {
  public:
    // To be called once, when the type is complete.
    void serve(PyTypeObject* type);

    // A new object: zeroed, one reference, untracked. nullptr, without an error: take it from the interpreter.
    PyObject* take();
    // In place of PyObject_GC_Del, for what take() gave.
    void put_back(PyObject* self);

  private:
    struct Free;
    struct Region;
    bool refill();
    void unlink(Region& region);

    PyTypeObject* type_ = nullptr;
    std::size_t cell_ = 0;       // bytes; 0: take() gives nothing
    std::size_t in_front_ = 0;   // bytes of a cell before its object
    Region* current_ = nullptr;  // where take() takes from; its cells may all be free
    Region* partial_ = nullptr;  // others with a free cell, linked both ways
    std::size_t regions_ = 0;
};

}  // namespace hardwork::py
