/// @file
/// The version of this library, for programs and for the preprocessor.
#pragma once

// The one place where the version stands: CMakeLists.txt and pyproject.toml read these three lines.
/// Version::major.
#define HARDWORK_VERSION_MAJOR 0
/// Version::minor.
#define HARDWORK_VERSION_MINOR 1
/// Version::patch.
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
