#pragma once

// The one place where the version stands: CMakeLists.txt and pyproject.toml read these three lines.
#define HARDWORK_VERSION_MAJOR 0
#define HARDWORK_VERSION_MINOR 1
#define HARDWORK_VERSION_PATCH 0

namespace hardwork {

/// See https://semver.org.
struct Version {
    int major;  ///< Another one: programs have to be changed.
    int minor;  ///< Something was added. (While major is 0: something may have changed.)
    int patch;  ///< Something was mended.
};

/// Of this library.
inline constexpr Version version{HARDWORK_VERSION_MAJOR, HARDWORK_VERSION_MINOR, HARDWORK_VERSION_PATCH};

}  // namespace hardwork
