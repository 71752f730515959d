#include "command/report.hpp"

#include <cstdio>
#include <cstring>

#include "command/arguments.hpp"
#include "os/clock.hpp"
#include "os/stream.hpp"

namespace hardwork::command {

namespace {

constexpr std::uint64_t kProgressNs = 100'000'000;
constexpr std::uint64_t kNeverNs = ~std::uint64_t{0};
constexpr std::size_t kShownOfItem = 60;
// POSIX: so many bytes never block in a pipe that is ready for writing (PIPE_BUF).
constexpr std::size_t kSafePart = 4096;
constexpr std::size_t kForgetWritten = std::size_t{1} << 20;

// Its beginning, in quotes, without anything that a terminal would obey.
std::string shown(std::string_view item) {
    std::string text = "\"";
    for (const char letter : item.substr(0, kShownOfItem)) {
        const auto code = static_cast<unsigned char>(letter);
        text += code < 0x20 || code == 0x7f ? '?' : letter;
    }
    return text + (item.size() > kShownOfItem ? "...\"" : "\"");
}

}  // namespace

Report::Report()
    : on_terminal_(os::is_terminal(os::kStandardError)), next_(on_terminal_ ? os::now_ns() + kProgressNs : kNeverNs) {}

void Report::say(std::string_view text) {
    while (!text.empty()) {
        const auto written = os::write_some(os::kStandardError, text);
        if (!written) return;  // nobody listens
        text.remove_prefix(written.value());
    }
}

void Report::clear_line() {
    if (drawn_) say("\r\x1b[K");
    drawn_ = false;
}

void Report::item_failed(std::uint64_t number, std::string_view item, std::string_view why) {
    ++failed_;
    clear_line();
    say("hardwork: item " + std::to_string(number) + ", " + shown(item) + ": " + std::string(why) + "\n");
}

void Report::trouble(std::string_view what) {
    troubled_ = true;
    clear_line();
    say("hardwork: " + std::string(what) + "\n");
}

void Report::progress() {
    if (!on_terminal_) return;
    const std::uint64_t now = os::now_ns();
    if (now < next_) return;
    next_ = now + kProgressNs;
    say("\r\x1b[K" + std::to_string(done_ + failed_) + " done, " + std::to_string(failed_) + " of them failed");
    drawn_ = true;
}

int Report::finish() {
    clear_line();
    if (failed_ != 0) {
        say("hardwork: " + std::to_string(failed_) + " of " + std::to_string(done_ + failed_) + " failed\n");
    }
    return failed_ != 0 || troubled_ ? kExitFailed : 0;
}

Writer::Writer() : can_block_(os::can_block(os::kStandardOutput)) {}

bool Writer::write(std::string& why) {
    const std::string_view left = std::string_view(waiting_).substr(written_);
    const auto written = os::write_some(os::kStandardOutput, can_block_ ? left.substr(0, kSafePart) : left);
    if (!written) {
        why = std::string("cannot write to standard output: ") + std::strerror(written.error().sys_errno);
        return false;
    }
    written_ += written.value();
    if (written_ == waiting_.size()) {
        waiting_.clear();
        written_ = 0;
    } else if (written_ >= kForgetWritten) {
        waiting_.erase(0, written_);
        written_ = 0;
    }
    return true;
}

}  // namespace hardwork::command
