// Ends this process when the parent has ended or executed another program, also while a task is busy in C code: a thread
// that sleeps on the parent's pidfd, and on a pipe that the parent's program holds the other end of. Paused around fork, because a process with one thread is what forking code expects.
#pragma once

namespace hardwork {

// Starts watching in this process. Both stay the caller's; program_fd may be -1. False if no thread could be started.
bool start_parent_watch(int parent_fd, int program_fd = -1);
void stop_parent_watch();

}  // namespace hardwork
