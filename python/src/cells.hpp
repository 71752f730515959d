// Where futures and results live: cells of one size in regions of 2 MB, in place of the interpreter's own allocator.
//
// A million of them are a hundred megabytes, and half of what making one costs is then page faults: the interpreter's
// allocator touches 4 KB at a time, and keeps pages that a fork has made shared, so that each has to be copied at the next
// write. A region is one fault where the system has large pages. What is free as a whole goes back, but for 24 MB that stay
// as long as pools do: to have a page cleared costs more than to make the objects in it.
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
    // A pool begins, before a template is forked that would share what is kept; a pool has gone. Of all types.
    static void pool_begins();
    static void pool_ends();

  private:
    struct Free;
    struct Region;
    bool refill();
    void unlink(Region& region);
    void retire(Region& region);
    void trim();
    static void trim_all();

    PyTypeObject* type_ = nullptr;
    std::size_t cell_ = 0;       // bytes; 0: take() gives nothing
    std::size_t in_front_ = 0;   // bytes of a cell before its object
    Region* current_ = nullptr;  // where take() takes from; its cells may all be free
    Region* partial_ = nullptr;  // others with a free cell, linked both ways
    Region* kept_ = nullptr;     // free as a whole, linked by `after`
    std::size_t kept_count_ = 0;
    std::size_t regions_ = 0;  // all but those kept
};

}  // namespace hardwork::py
