#include "command/arguments.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

#include "hardwork/engine.hpp"

namespace hardwork::command {

const char* const kHelp = R"(Usage: hardwork map [OPTION]... --exec 'COMMAND'
       hardwork map [OPTION]... -- LIBRARY:FUNCTION

Does the same with each line of standard input, several at a time, and writes what comes of it to standard output, in the
order of the lines.

  --exec 'COMMAND'    starts COMMAND for each line. Words are split at blanks, as quotes ' and " and \ say; no shell is
                      started. {} stands for the line; without it the line is the last argument.
  --shell             COMMAND is a script for sh. {} stands for the line as one quoted word (so no quotes around it); it
                      is $1 too.
  LIBRARY:FUNCTION    calls a function of a shared library (./plugin.so:count) in a worker process; what it looks like
                      stands in <hardwork/plugin.h>.

  -j, --jobs N        so many at a time, 1 to 1024; default: as many as there are CPUs to use
  -0, --null          items end with a zero byte, not with a newline
  --timeout SECONDS   one that takes longer is killed, and has failed
  --retries N         one that has failed is run again, up to N times
  -h, --help          this text
  --version           the version

A line fails if its command ends with another code than 0 or by a signal, or if the function returns anything but 0, throws
or crashes; or for its time. Standard error says which and why. What a command has written by then is written; what a
function has given is not.

Exit code: 0 if all is done, 1 if a line has failed or standard input or output cannot be used, 2 if this line is wrong.
)";

namespace {

constexpr int kMostJobs = 1024;
constexpr double kMostSeconds = 1e9;

template <class T>
bool read_number(const std::string& text, T& number) {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && at == end && !text.empty();
}

class Parser {
  public:
    explicit Parser(const std::vector<std::string>& words) : words_(words) {}

    Parsed parse() {
        if (words_.empty()) return mistake("what shall be done? There is one command: map");
        const std::string first = words_[at_++];
        if (first == "-h" || first == "--help") return {Parsed::What::help, {}, {}};
        if (first == "--version") return {Parsed::What::version, {}, {}};
        if (first != "map") return mistake("there is no command " + first + ", only map");
        map_.jobs = usable_cpus() < kMostJobs ? usable_cpus() : kMostJobs;
        while (at_ < words_.size()) {
            const std::string word = words_[at_++];
            if (word == "-h" || word == "--help") return {Parsed::What::help, {}, {}};
            if (word == "--") break;
            if (word.size() < 2 || word[0] != '-') {
                --at_;
                break;
            }
            if (!option(word)) return mistake(std::move(wrong_));
        }
        return operands();
    }

  private:
    static Parsed mistake(std::string what) { return {Parsed::What::mistake, {}, std::move(what)}; }

    bool wrong(std::string what) {
        wrong_ = std::move(what);
        return false;
    }

    bool option(const std::string& word) {
        if (word == "-0" || word == "--null") {
            map_.separator = '\0';
            return true;
        }
        if (word == "--shell") {
            map_.shell = true;
            return true;
        }
        // --name=value, --name value, -jN, -j N
        std::string name = word;
        std::optional<std::string> value;
        if (const std::size_t equals = word.find('='); word.starts_with("--") && equals != std::string::npos) {
            name = word.substr(0, equals);
            value = word.substr(equals + 1);
        } else if (word.starts_with("-j") && word.size() > 2) {
            name = "-j";
            value = word.substr(2);
        }
        const bool known =
            name == "-j" || name == "--jobs" || name == "--timeout" || name == "--retries" || name == "--exec";
        if (!known) return wrong("there is no option " + word);
        if (!value) {
            if (at_ == words_.size()) return wrong(name + " needs a value");
            value = words_[at_++];
        }
        return set(name, *value);
    }

    bool set(const std::string& name, const std::string& value) {
        if (name == "--exec") {
            map_.command = value;
            return true;
        }
        if (name == "--timeout") {
            double seconds = 0;
            if (!read_number(value, seconds) || !(seconds > 0) || seconds > kMostSeconds) {
                return wrong("--timeout is " + value + "; it must be a number of seconds, more than 0");
            }
            map_.timeout = seconds;
            return true;
        }
        if (name == "--retries") {
            if (read_number(value, map_.retries)) return true;
            return wrong("--retries is " + value + "; it must be a number, 0 or more");
        }
        if (read_number(value, map_.jobs) && map_.jobs >= 1 && map_.jobs <= kMostJobs) return true;
        return wrong(name + " is " + value + "; it must be a number from 1 to " + std::to_string(kMostJobs));
    }

    Parsed operands() {
        const std::size_t left = words_.size() - at_;
        if (map_.command) {
            if (left != 0) return mistake("with --exec nothing stands behind the options: " + words_[at_]);
            return {Parsed::What::map, std::move(map_), {}};
        }
        if (map_.shell) return mistake("--shell is for --exec");
        if (left != 1) return mistake("what shall be done with each line? --exec 'COMMAND', or -- LIBRARY:FUNCTION");
        const std::string& word = words_[at_];
        const std::size_t colon = word.rfind(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == word.size()) {
            return mistake(word + " is not LIBRARY:FUNCTION");
        }
        map_.library = word.substr(0, colon);
        map_.function = word.substr(colon + 1);
        return {Parsed::What::map, std::move(map_), {}};
    }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    MapArguments map_;
    std::string wrong_;
};

}  // namespace

Parsed parse(const std::vector<std::string>& words) { return Parser(words).parse(); }

}  // namespace hardwork::command
