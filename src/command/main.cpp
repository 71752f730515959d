// The command `hardwork`.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "command/arguments.hpp"
#include "command/exec_map.hpp"
#include "command/plugin_map.hpp"
#include "hardwork/version.hpp"

namespace {

using hardwork::command::kExitFailed;
using hardwork::command::kExitUsage;
using hardwork::command::MapArguments;

int mistake(const std::string& what) {
    std::fprintf(stderr, "hardwork: %s\nhardwork --help says more.\n", what.c_str());
    return kExitUsage;
}

int map(const MapArguments& arguments) {
    std::string why;
    if (arguments.command) {
        using hardwork::command::CommandLine;
        auto command = arguments.shell ? CommandLine::shell(*arguments.command, why)
                                       : CommandLine::direct(*arguments.command, why);
        if (!command) return mistake(why);
        return hardwork::command::map_by_processes(arguments, std::move(*command));
    }
    const hardwork_function function = hardwork::command::load_plugin(arguments, why);
    if (function == nullptr) return mistake(why);
    return hardwork::command::map_by_plugin(arguments, function);
}

}  // namespace

int main(int argc, char** argv) {
    using What = hardwork::command::Parsed::What;
    try {
        const auto parsed = hardwork::command::parse({argv + 1, argv + argc});
        switch (parsed.what) {
            case What::help: return std::fputs(hardwork::command::kHelp, stdout) < 0 ? kExitFailed : 0;
            case What::version:
                std::printf("hardwork %d.%d.%d\n", HARDWORK_VERSION_MAJOR, HARDWORK_VERSION_MINOR,
                            HARDWORK_VERSION_PATCH);
                return 0;
            case What::mistake: return mistake(parsed.mistake);
            case What::map: return map(parsed.map);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hardwork: %s\n", error.what());
    }
    return kExitFailed;
}
