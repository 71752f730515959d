// Changing what a signal does, in a way that can be taken back exactly.
#pragma once

#include <csignal>

namespace hardwork::os {

class Disposition {
  public:
    static Disposition ignored(int signal);
    static Disposition defaulted(int signal);
    void restore() const;  // what the signal did before; not done by a destructor: a forked child decides for itself

  private:
    Disposition(int signal, void (*handler)(int));
    int signal_;
    bool changed_;
    struct sigaction before_ {};
};

void unblock_all_signals();  // in this thread

}  // namespace hardwork::os
