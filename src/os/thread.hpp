// A thread with all signals blocked, so that the application's handlers run on the application's threads.
#pragma once

#include <cstdint>
#include <functional>

namespace hardwork::os {

class Thread {
  public:
    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    ~Thread();  // terminates the program if still joinable, as std::thread

    // name: at most 15 characters, seen in ps and gdb. False when the system refuses a thread.
    bool start(const char* name, std::function<void()> body);
    void join();
    // Ends it where it sleeps in a system call (pthread_cancel(3)), and joins it. For a body that does nothing but sleep,
    // where waking it by a descriptor would count on nobody touching that.
    void cancel();
    void detach();
    bool joinable() const { return joinable_; }
    bool is_current() const;

  private:
    std::uint64_t handle_ = 0;
    bool joinable_ = false;
};

}  // namespace hardwork::os
