// Where tests strike: after each store of the protocol that parent and worker share, and at the steps of births and
// deaths. A release has nothing of it; see docs/design/fault-points.md.
#pragma once

#if defined(HARDWORK_FAULT_POINTS) && HARDWORK_FAULT_POINTS

#include <source_location>

namespace hardwork::fault {

// Set by a test before the pool is made; its workers inherit it.
using Hook = void (*)(const std::source_location& where);
inline Hook hook = nullptr;

inline void point(const std::source_location& where = std::source_location::current()) {
    if (hook != nullptr) hook(where);
}

}  // namespace hardwork::fault

#define HARDWORK_FAULT_POINT() ::hardwork::fault::point()

#else

#define HARDWORK_FAULT_POINT() static_cast<void>(0)

#endif
