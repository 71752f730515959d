#include "os/fd.hpp"

#include <unistd.h>

#include <cerrno>

namespace hardwork::os {

void Fd::reset() {
    if (fd_ < 0) return;
    const int saved = errno;
    close(std::exchange(fd_, -1));  // never retried: on Linux the number is free even after EINTR
    errno = saved;
}

}  // namespace hardwork::os
