#include "os/ending_signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace hardwork::os {

Result<EndingSignals> EndingSignals::watch() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        struct sigaction now {};
        if (sigaction(number, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&wanted, number);
    }
    EndingSignals signals;
    signals.fd_ = Fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals.fd_) return Error{Errc::system, errno, "watch signals"};
    if (const int error = pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0) {
        return Error{Errc::system, error, "watch signals"};
    }
    return signals;
}

int EndingSignals::take() const {
    signalfd_siginfo info{};
    return read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo)
                                                                                    : 0;
}

void EndingSignals::die(int number) const {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    _exit(128 + number);
}

}  // namespace hardwork::os
