#include "os/disposition.hpp"

namespace hardwork::os {

// SIG_DFL and SIG_IGN are C casts of integers in the system's headers.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
Disposition Disposition::ignored(int signal) { return Disposition(signal, SIG_IGN); }
Disposition Disposition::defaulted(int signal) { return Disposition(signal, SIG_DFL); }
#pragma GCC diagnostic pop

Disposition::Disposition(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    changed_ = sigaction(signal, &action, &before_) == 0;
}

void Disposition::restore() const {
    if (changed_) sigaction(signal_, &before_, nullptr);
}

void unblock_all_signals() {
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace hardwork::os
