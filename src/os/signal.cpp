#include "os/signal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

namespace hardwork::os {

namespace {

void dispose(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

}  // namespace

void ignore_interrupts() { dispose(SIGINT, SIG_IGN); }

void ignore_pipe() { dispose(SIGPIPE, SIG_IGN); }

void reset_signals() {
    for (int number = 1; number < NSIG; ++number) {
        if (number != SIGKILL && number != SIGSTOP) dispose(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void raise_oom_score(int adjustment) {
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;  // no /proc: the kernel chooses by size alone
    char text[16];
    const int length = std::snprintf(text, sizeof text, "%d", adjustment);
    if (write(fd, text, static_cast<std::size_t>(length)) < 0) {
        // Refused where the score was set higher already: then a worker goes first anyway.
    }
    close(fd);
}

void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace hardwork::os
