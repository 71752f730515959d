#include "os/identity.hpp"

#include <sys/stat.h>

namespace hardwork::os {

FileIdentity identity_of(int fd) {
    struct stat file;
    if (fstat(fd, &file) != 0) return {};
    return {file.st_dev, file.st_ino};
}

}  // namespace hardwork::os
