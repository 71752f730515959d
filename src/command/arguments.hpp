// What stands on the command's line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hardwork::command {

inline constexpr int kExitFailed = 1;  // some items, or reading, or writing
inline constexpr int kExitUsage = 2;

struct MapArguments {
    int jobs = 0;
    std::optional<double> timeout;  // seconds
    std::uint32_t retries = 0;
    char separator = '\n';
    bool shell = false;
    std::optional<std::string> command;  // of --exec
    std::string library;                 // without --exec
    std::string function;
};

struct Parsed {
    enum class What { map, help, version, mistake } what = What::mistake;
    MapArguments map;
    std::string mistake;
};

Parsed parse(const std::vector<std::string>& words);

extern const char* const kHelp;

}  // namespace hardwork::command
