// How many threads this program has beside the calling one and those of the engine.
#pragma once

namespace hardwork::face {

// Waits a moment for threads that have just ended or begun. 0 where /proc cannot tell.
int count_other_threads();

}  // namespace hardwork::face
