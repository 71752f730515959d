// How programs are started: posix_spawnattr_t(3), owned. For the files in src/os that call posix_spawn.
#pragma once

#include <signal.h>
#include <spawn.h>

namespace hardwork::os {

// All signals handled by default, and none blocked.
class SpawnAttributes {
  public:
    explicit SpawnAttributes(bool own_group = false) {
        sigset_t none;
        sigset_t defaults;
        sigemptyset(&none);
        sigfillset(&defaults);
        sigdelset(&defaults, SIGKILL);
        sigdelset(&defaults, SIGSTOP);
        short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
        if (own_group) flags |= POSIX_SPAWN_SETPGROUP;  // to a new one: 0 is the default
        if (posix_spawnattr_init(&attributes_) != 0) return;
        initialised_ = true;
        made_ = posix_spawnattr_setsigmask(&attributes_, &none) == 0 &&
                posix_spawnattr_setsigdefault(&attributes_, &defaults) == 0 &&
                posix_spawnattr_setflags(&attributes_, flags) == 0;
    }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    ~SpawnAttributes() {
        if (initialised_) posix_spawnattr_destroy(&attributes_);
    }
    bool made() const { return made_; }
    const posix_spawnattr_t* get() const { return &attributes_; }

  private:
    posix_spawnattr_t attributes_{};
    bool initialised_ = false;
    bool made_ = false;
};

}  // namespace hardwork::os
