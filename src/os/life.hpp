// A word in shared memory that a thread holds for as long as it lives: the kernel marks it when that thread ends, however
// it ends, and wakes who sleeps on it. That is early: before the process's memory is freed, which takes 80 ms for 1 GB,
// and so long before a pidfd or waitpid(2) tell. See pthread_mutexattr_setrobust(3), set_robust_list(2).
#pragma once

#include <pthread.h>

#include <cstdint>
#include <optional>

#include "base/atomic.hpp"
#include "hardwork/error.hpp"

namespace hardwork::os {

class LifeMark {
  public:
    void prepare();                 // once, before the other process maps it
    void hold();                    // the calling thread's, from now on
    void let_go();                  // by that thread: its end says nothing any more
    Atomic<std::uint32_t>& word();  // to be read and slept on
    // Of a value of the word: the thread that held it has ended. Only a hint: that process can write here itself.
    static bool ended(std::uint32_t value);

  private:
    pthread_mutex_t mutex_;
};

// How a process is ending whose main thread will run no more of its own code, though its memory may not have been freed
// yet, or its other threads live on. nullopt if that is not so. Unknown if the kernel says 0, which it also says to who may
// not know (proc_pid_stat(5), `exit_code`). The process must not have been reaped: ask its pidfd afterwards.
std::optional<ExitStatus> ending_status(std::int32_t pid);

// Whether a process is stopped (SIGSTOP, SIGTSTP ...), and not by a debugger.
bool is_stopped(std::int32_t pid);

}  // namespace hardwork::os
