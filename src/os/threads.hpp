// Which threads this process has.
#pragma once

namespace hardwork::os {

// Threads other than the calling one and other than hardwork's own (whose names begin with "hardwork-"; they hold no
// lock that a forked child would need). 0 where /proc cannot tell.
int foreign_threads();

}  // namespace hardwork::os
