#include "os/stream.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hardwork::os {

Result<PipeEnds> make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return Error{Errc::system, errno, "make a pipe"};
    PipeEnds made{Fd(ends[0]), Fd(ends[1])};
    // Of this end alone: who writes to the other shall wait when the pipe is full.
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) return Error{Errc::system, errno, "make a pipe"};
    return made;
}

Result<std::size_t> read_some(int fd, std::span<char> bytes) {
    for (;;) {
        const ssize_t got = read(fd, bytes.data(), bytes.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return Error{Errc::system, errno, "read"};
    }
}

Result<std::size_t> write_some(int fd, std::string_view bytes) {
    for (;;) {
        const ssize_t put = write(fd, bytes.data(), bytes.size());
        if (put >= 0) return static_cast<std::size_t>(put);
        if (errno != EINTR) return Error{Errc::system, errno, "write"};
    }
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

bool can_block(int fd) {
    struct stat about {};
    return fstat(fd, &about) == 0 && !S_ISREG(about.st_mode);
}

}  // namespace hardwork::os
