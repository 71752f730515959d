// Blocking on one descriptor until it or a second one is readable.
#pragma once

namespace hardwork::os {

// True when `fd` became readable or hung up, false when `stop_fd` did. Holds both open files while it blocks (poll(2)),
// so a program that closes all its descriptors does not end the watch.
bool wait_readable_or(int fd, int stop_fd);

}  // namespace hardwork::os
