#include "command/exec_map.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "command/lines.hpp"
#include "command/report.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/ending_signals.hpp"
#include "os/futex.hpp"
#include "os/launch.hpp"
#include "os/process.hpp"
#include "os/ready.hpp"
#include "os/reap.hpp"
#include "os/signal.hpp"
#include "os/stream.hpp"

namespace hardwork::command {

namespace {

// How far others may run ahead of the item whose output comes next.
constexpr std::size_t kMostAhead = 4096;
constexpr std::size_t kMostHeld = std::size_t{64} << 20;
constexpr std::size_t kReadPart = 65536;
// Between SIGTERM and SIGKILL.
constexpr std::uint64_t kGraceNs = 500'000'000;
constexpr std::uint64_t kTryAgainNs = 10'000'000;
constexpr std::size_t kMostInPipe = std::size_t{1} << 20;

struct Item {
    std::uint64_t number = 0;
    std::string line;
    std::string output;
    std::uint32_t failures = 0;
    bool done = false;
};

// A process that runs.
struct Running {
    Item* item = nullptr;
    std::int32_t pid = 0;
    os::Fd pidfd;
    os::Fd output;
    std::uint64_t deadline = os::kNoDeadline;
    bool late = false;  // its time was over, and it has been told
    std::size_t end_slot = 0;
    std::size_t output_slot = 0;
    bool output_watched = false;
};

std::string fate(const ExitStatus& status) {
    if (status.kind == ExitStatus::Kind::exited) return "exit code " + std::to_string(status.value);
    if (status.kind == ExitStatus::Kind::unknown) return "ended in a way that could not be learned";
    const char* name = strsignal(status.value);
    return "killed by signal " + std::to_string(status.value) + (name ? std::string(" (") + name + ")" : "");
}

class ExecMap {
  public:
    ExecMap(const MapArguments& arguments, CommandLine command)
        : arguments_(arguments),
          command_(std::move(command)),
          // Those that are to end in time are groups of their own, so that what they have started ends as well. All others
          // are of our group: the terminal's Ctrl-C and Ctrl-Z reach them, and they may ask the terminal.
          group_(arguments.timeout ? os::Group::own : os::Group::of_parent),
          lines_(arguments.separator) {}

    int run() {
        os::ignore_pipe();  // nobody reads what we write: that is an error to be told, and others are to be ended first
        if (group_ == os::Group::own) {
            auto signals = os::EndingSignals::watch();
            if (!signals) {
                report_.trouble(std::string("cannot watch signals: ") + std::strerror(signals.error().sys_errno));
                return report_.finish();
            }
            signals_ = signals.take();
        }
        for (;;) {
            start_all();
            emit();
            if (running_.empty() && again_.empty() && items_.empty() && over_ && out_.waiting() == 0) break;
            wait();
            if (broken_) break;
        }
        return report_.finish();
    }

  private:
    bool room() const { return running_.size() < static_cast<std::size_t>(arguments_.jobs); }
    // Of an item, more output would be held than is good: it has to wait until it is the first.
    bool held_too_much() const { return held_ + out_.waiting() > kMostHeld; }
    bool last_attempt(const Item& item) const { return item.failures >= arguments_.retries; }

    void start_all() {
        while (room() && os::now_ns() >= start_again_at_) {
            Item* item = nullptr;
            if (!again_.empty()) {
                item = again_.front();
                again_.pop_front();
            } else if (!over_ && items_.size() < kMostAhead && !held_too_much()) {
                std::string line;
                if (!lines_.next(line)) {
                    over_ = lines_.ended();
                    return;
                }
                item = &items_.emplace_back();
                item->number = ++count_;
                item->line = std::move(line);
            }
            if (item == nullptr || !start(*item)) return;
        }
    }

    // False: not now.
    bool start(Item& item) {
        if (item.line.find('\0') != std::string::npos) {
            give_up(item, "a zero byte cannot be in an argument");
            return true;
        }
        auto pipe = os::make_pipe();
        if (!pipe) return not_started(item, pipe.error());
        const auto pid = os::launch(command_.path(), command_.arguments(item.line), pipe.value().writer.get(), group_);
        if (!pid) return not_started(item, pid.error());
        auto pidfd = os::open_pidfd(pid.value());
        if (!pidfd) {
            os::signal_launched(pid.value(), group_, os::kSigKill);
            return not_started(item, pidfd.error());
        }
        Running& one = running_.emplace_back();
        one.item = &item;
        one.pid = pid.value();
        one.pidfd = pidfd.take();
        one.output = std::move(pipe.value().reader);
        if (arguments_.timeout) one.deadline = os::now_ns() + static_cast<std::uint64_t>(*arguments_.timeout * 1e9);
        return true;
    }

    // Where there is no room for another process, or another descriptor, it is tried again when one has ended.
    bool not_started(Item& item, const Error& error) {
        const bool limit = error.sys_errno == os::kTryAgain || error.sys_errno == os::kNoDescriptors;
        if (limit && !running_.empty()) {
            again_.push_front(&item);
            start_again_at_ = os::now_ns() + kTryAgainNs;
            return false;
        }
        give_up(item, std::string("could not be started: ") + std::strerror(error.sys_errno));
        return true;
    }

    void give_up(Item& item, const std::string& why) {
        item.done = true;
        report_.item_failed(item.number, item.line, why);
    }

    void emit() {
        while (!items_.empty()) {
            Item& first = items_.front();
            // Nobody knows yet what of it counts.
            if (!first.done && !last_attempt(first)) return;
            held_ -= first.output.size();
            out_.add(first.output);
            first.output.clear();
            if (!first.done) return;
            items_.pop_front();
        }
    }

    // The first one's output is always taken, or it would never end.
    bool takes_output(const Running& one) const {
        if (one.item != &items_.front()) return !held_too_much();
        return !last_attempt(*one.item) || out_.waiting() < kMostHeld;
    }

    void wait() {
        ready_.clear();
        const bool wants_input =
            !over_ && !lines_.ended() && room() && again_.empty() && items_.size() < kMostAhead && !held_too_much();
        const std::size_t input = wants_input ? ready_.add_reader(os::kStandardInput) : 0;
        const bool wants_output = out_.waiting() != 0;
        const std::size_t output = wants_output ? ready_.add_writer(os::kStandardOutput) : 0;
        const std::size_t signal = group_ == os::Group::own ? ready_.add_reader(signals_.fd()) : 0;
        std::uint64_t deadline = report_.next_progress();
        if (!again_.empty() || start_again_at_ > os::now_ns()) deadline = std::min(deadline, start_again_at_);
        for (Running& one : running_) {
            one.end_slot = ready_.add_reader(one.pidfd.get());
            one.output_watched = one.output && takes_output(one);
            if (one.output_watched) one.output_slot = ready_.add_reader(one.output.get());
            deadline = std::min(deadline, one.deadline);
        }
        ready_.wait(deadline);
        if (group_ == os::Group::own && ready_.is_ready(signal)) pass_on_signal();
        for (std::size_t i = 0; i < running_.size();) {
            Running& one = running_[i];
            if (one.output_watched && ready_.is_ready(one.output_slot)) read_output(one, kReadPart);
            if (ready_.is_ready(one.end_slot) && ended(one)) {
                if (i + 1 != running_.size()) running_[i] = std::move(running_.back());
                running_.pop_back();
                continue;
            }
            look_at_time(one);
            ++i;
        }
        if (wants_output && ready_.is_ready(output)) write();
        if (wants_input && ready_.is_ready(input)) read_input();
        report_.progress();
    }

    void read_input() {
        const auto got = os::read_some(os::kStandardInput, buffer_);
        if (!got && got.error().sys_errno == os::kTryAgain) return;
        if (!got) report_.trouble(std::string("cannot read standard input: ") + std::strerror(got.error().sys_errno));
        if (!got || got.value() == 0) {
            lines_.end();
        } else {
            lines_.add({buffer_.data(), got.value()});
        }
    }

    void write() {
        std::string why;
        if (out_.write(why)) return;
        report_.trouble(why);
        broken_ = true;
        for (const Running& one : running_)
            os::signal_launched(one.pid, group_, os::kSigTerm);
    }

    void read_output(Running& one, std::size_t most) {
        for (std::size_t all = 0; all < most;) {
            const auto got = os::read_some(one.output.get(), buffer_);
            if (!got && got.error().sys_errno == os::kTryAgain) return;
            if (!got || got.value() == 0) {
                one.output.reset();
                return;
            }
            one.item->output.append(buffer_.data(), got.value());
            held_ += got.value();
            all += got.value();
        }
    }

    bool ended(Running& one) {
        // What it has left behind is of its group, and the number of the group stays its own until it is reaped.
        if (one.late) os::signal_launched(one.pid, group_, os::kSigKill);
        const auto status = os::reap(one.pidfd);
        if (!status) return false;
        // What is in the pipe by now. Who still holds its other end is not waited for.
        if (one.output) read_output(one, kMostInPipe);
        Item& item = *one.item;
        const bool fine = status->kind == ExitStatus::Kind::exited && status->value == 0 && !one.late;
        if (fine) {
            item.done = true;
            report_.item_done();
            return true;
        }
        if (!last_attempt(item)) {
            ++item.failures;
            held_ -= item.output.size();
            item.output.clear();
            again_.push_back(&item);
            return true;
        }
        give_up(item, one.late ? "took longer than --timeout" : fate(*status));
        return true;
    }

    void look_at_time(Running& one) {
        if (one.deadline == os::kNoDeadline || os::now_ns() < one.deadline) return;
        os::signal_launched(one.pid, group_, one.late ? os::kSigKill : os::kSigTerm);
        one.deadline = one.late ? os::kNoDeadline : os::now_ns() + kGraceNs;
        one.late = true;
    }

    void pass_on_signal() {
        const int number = signals_.take();
        if (number == 0) return;
        for (const Running& one : running_)
            os::signal_launched(one.pid, group_, number);
        signals_.die(number);
    }

    const MapArguments& arguments_;
    CommandLine command_;
    const os::Group group_;
    os::EndingSignals signals_;
    Lines lines_;
    Report report_;
    Writer out_;
    os::ReadySet ready_;
    std::deque<Item> items_;   // from the one whose output comes next on
    std::deque<Item*> again_;  // to be run once more
    std::vector<Running> running_;
    std::uint64_t count_ = 0;
    std::size_t held_ = 0;  // bytes of output in items_
    std::uint64_t start_again_at_ = 0;
    bool over_ = false;    // there are no more lines
    bool broken_ = false;  // nobody takes our output
    std::array<char, kReadPart> buffer_;
};

}  // namespace

int map_by_processes(const MapArguments& arguments, CommandLine command) {
    return ExecMap(arguments, std::move(command)).run();
}

}  // namespace hardwork::command
