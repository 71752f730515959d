#include "os/duplicate.hpp"

#include <fcntl.h>

#include <cerrno>

namespace hardwork::os {

Result<Fd> duplicate(int fd) {
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return Error{Errc::system, errno, "duplicate a descriptor"};
    return Fd(copy);
}

}  // namespace hardwork::os
