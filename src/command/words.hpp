// A command with a place for the line: `gzip -k {}`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hardwork::command {

// Words as sh would split them at blanks, by ' and " and \, and nothing else of sh. Nothing if a quote is open.
std::optional<std::vector<std::string>> split_words(std::string_view text);

class CommandLine {
  public:
    // What is started is found now. Not found, or not a command: nothing, and why.
    static std::optional<CommandLine> direct(std::string_view command, std::string& why);
    static std::optional<CommandLine> shell(std::string_view command, std::string& why);

    const char* path() const { return path_.c_str(); }
    // For one line: the first is the name, the last nullptr. Valid until the next call.
    char* const* arguments(const std::string& line);

  private:
    std::string path_;
    std::vector<std::string> words_;
    bool fixed_ = false;  // words_ are taken as they are, and the line comes last
    std::vector<std::string> filled_;
    std::vector<char*> pointers_;
};

}  // namespace hardwork::command
