// One pointer instead of the two of a shared_ptr: the engine as the many futures or results of one pool hold it.
#pragma once

#include "state.hpp"

namespace hardwork::py {

// Under the GIL. Counted: each share() wants one unshare().
EngineRef* share(const EngineRef& engine);
void unshare(EngineRef* engine);

}  // namespace hardwork::py
