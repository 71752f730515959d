#pragma once

// The one place where the version stands: CMakeLists.txt and pyproject.toml read these three lines.
#define HARDWORK_VERSION_MAJOR 0
#define HARDWORK_VERSION_MINOR 1
#define HARDWORK_VERSION_PATCH 0

namespace hardwork {

struct Version {
    int major;
    int minor;
    int patch;
};

inline constexpr Version version{HARDWORK_VERSION_MAJOR, HARDWORK_VERSION_MINOR, HARDWORK_VERSION_PATCH};

}  // namespace hardwork
