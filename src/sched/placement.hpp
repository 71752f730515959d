// Whether a task goes to the worker that is awake or wakes another one.
#pragma once

#include <cstdint>

namespace hardwork::sched {

// Waking a sleeping worker takes 10 to 50 us until it runs. Work that an awake one will have done by then goes there.
inline constexpr std::uint64_t kPackNs = 20'000;

}  // namespace hardwork::sched
