// Ends this process when the parent has ended, also while a task is busy in C code: a thread that sleeps on the
// parent's pidfd. Paused around fork, because a process with one thread is what forking code expects.
#pragma once

namespace hardwork {

// Starts watching in this process. parent_fd stays the caller's. False if no thread could be started.
bool start_parent_watch(int parent_fd);
void stop_parent_watch();

}  // namespace hardwork
