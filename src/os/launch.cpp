#include "os/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "os/spawn_attributes.hpp"

extern char** environ;

namespace hardwork::os {

namespace {

bool can_be_run(const std::string& path) {
    struct stat about {};
    return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) && access(path.c_str(), X_OK) == 0;
}

class Actions {
  public:
    Actions() : made_(posix_spawn_file_actions_init(&actions_) == 0) {}
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    ~Actions() {
        if (made_) posix_spawn_file_actions_destroy(&actions_);
    }
    bool fill(int output_fd) {
        return made_ && posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) == 0 &&
               posix_spawn_file_actions_adddup2(&actions_, output_fd, 1) == 0;
    }
    const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
    bool made_;
};

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return can_be_run(name) ? std::optional(name) : std::nullopt;
    const char* path = std::getenv("PATH");
    std::string_view left = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    for (bool more = !name.empty(); more;) {
        const std::size_t colon = left.find(':');
        more = colon != std::string_view::npos;
        const std::string_view folder = left.substr(0, colon);
        const std::string candidate = (folder.empty() ? "." : std::string(folder)) + "/" + name;
        if (can_be_run(candidate)) return candidate;
        if (more) left.remove_prefix(colon + 1);
    }
    return std::nullopt;
}

Result<std::int32_t> launch(const char* path, char* const* arguments, int output_fd, Group group) {
    // The same each time.
    static const SpawnAttributes in_parents(false);
    static const SpawnAttributes in_own(true);
    const SpawnAttributes& attributes = group == Group::own ? in_own : in_parents;
    Actions actions;
    if (!attributes.made() || !actions.fill(output_fd)) return Error{Errc::system, ENOMEM, "start a program"};
    pid_t pid = 0;
    const int error = posix_spawn(&pid, path, actions.get(), attributes.get(), arguments, environ);
    if (error != 0) return Error{Errc::system, error, "start a program"};
    return pid;
}

void signal_launched(std::int32_t pid, Group group, int signal) { kill(group == Group::own ? -pid : pid, signal); }

}  // namespace hardwork::os
