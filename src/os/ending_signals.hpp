// Signals that end a program, as something to be read: for who has to end others before (signalfd(2)).
#pragma once

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

class EndingSignals {
  public:
    // From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT do not end this thread's process; they make fd() readable. Those
    // that are ignored stay so.
    static Result<EndingSignals> watch();
    int fd() const { return fd_.get(); }
    int take() const;                  // the signal that came; 0: none
    [[noreturn]] void die(int) const;  // as it would have been without this

  private:
    Fd fd_;
};

}  // namespace hardwork::os
