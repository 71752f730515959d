// hardwork.IMapIterator: what Pool.imap and Pool.imap_unordered return, a multiprocessing.pool.IMapIterator.
#pragma once

#include "core.hpp"

namespace hardwork::py {

int make_imap_type(PyObject* module);

// A map that has no input yet: _feed and _feed_range give it some. nullptr with a Python error.
PyObject* new_imap(PyObject* core, PyObject* fn, const JobOptions& options, int workers);

// From the collector: items may be waiting for others to travel with. Takes a reference over.
void send_gathered(PyObject* self);

}  // namespace hardwork::py
