// In a worker: whether the task that runs is to end.
#pragma once

namespace hardwork::face {

// Another one begins: what was said of the one before does not hold for it.
void begin_task() noexcept;

}  // namespace hardwork::face
