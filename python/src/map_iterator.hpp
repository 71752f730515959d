// The iterator of executor.map: results of a job in order, decoded one by one as they are asked for.
#pragma once

#include "state.hpp"

namespace hardwork::py {

int make_map_type(PyObject* module);

// Takes the job's handle and a reference to `errors` (item number -> exception of an input that could not be encoded;
// may be nullptr).
PyObject* new_map_iterator(const EngineRef& engine, Job* job, PyObject* errors);

}  // namespace hardwork::py
