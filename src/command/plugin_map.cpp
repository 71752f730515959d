#include "command/plugin_map.hpp"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "command/lines.hpp"
#include "command/report.hpp"
#include "hardwork/hardwork.hpp"
#include "os/codes.hpp"
#include "os/futex.hpp"
#include "os/library.hpp"
#include "os/poll.hpp"
#include "os/ready.hpp"
#include "os/signal.hpp"
#include "os/stream.hpp"

namespace hardwork::command {

namespace {

// What is given to the pool at once, and how far that is ahead of what is written.
constexpr std::size_t kBatchItems = 1024;
constexpr std::size_t kMostBatches = 4;
constexpr std::size_t kReadPart = 65536;

// What a call came to, as it travels.
struct Given {
    int code = 0;
    std::string output;
};
auto hardwork_fields(Given& given) { return std::tie(given.code, given.output); }

// The library is loaded before the pool is made: the function is at the same address in its workers.
struct Call {
    hardwork_function function = nullptr;
    Given operator()(const std::string& line) const {
        Given given;
        const hardwork_emit emit = [](void* to, const char* bytes, std::size_t length) {
            static_cast<std::string*>(to)->append(bytes, length);
        };
        given.code = function(line.c_str(), line.size(), emit, &given.output);
        if (given.code != 0) given.output.clear();
        return given;
    }
};

struct Batch {
    std::uint64_t first = 0;  // its number
    std::vector<std::string> lines;
    MapResult<Given> results;
};

// Of one item: its output, or why there is none.
struct Outcome {
    bool fine = false;
    std::string text;
};

template <class Get>
Outcome outcome_of(Get get) {
    try {
        Given given = get();
        if (given.code == 0) return {true, std::move(given.output)};
        return {false, "returned " + std::to_string(given.code)};
    } catch (const BrokenPool&) {
        throw;
    } catch (const TaskTimeout&) {
        return {false, "took longer than --timeout"};
    } catch (const RemoteError& thrown) {
        return {false, std::string("threw ") + thrown.what()};
    } catch (const std::exception& error) {
        return {false, error.what()};
    }
}

class PluginMap {
  public:
    PluginMap(const MapArguments& arguments, hardwork_function function)
        : arguments_(arguments), call_{function}, lines_(arguments.separator), pool_(options(arguments)) {
        os::ignore_pipe();  // after the workers' template: what they write is their business
    }

    int run() {
        auto stop = os::Notifier::create();
        if (!stop) {
            report_.trouble(std::string("cannot begin: ") + std::strerror(stop.error().sys_errno));
            return report_.finish();
        }
        stop_reading_ = stop.take();
        std::thread reader([this] { read(); });
        try {
            while (std::optional<Batch> batch = next_batch())
                arguments_.retries == 0 ? write_as_they_come(*batch) : write_when_settled(*batch);
        } catch (const std::exception& error) {
            report_.trouble(error.what());
            give_up();
        }
        reader.join();
        if (!input_error_.empty()) report_.trouble(input_error_);
        return report_.finish();
    }

  private:
    static Options options(const MapArguments& arguments) {
        Options options;
        options.workers = arguments.jobs;
        // The function has no way to ask whether it shall stop.
        options.grace = std::chrono::nanoseconds(0);
        if (arguments.timeout) {
            options.timeout = std::chrono::nanoseconds(static_cast<std::int64_t>(*arguments.timeout * 1e9) + 1);
        }
        return options;
    }

    // The reader's thread.
    void read() {
        try {
            read_and_send();
        } catch (const std::exception& error) {
            input_error_ = error.what();
        }
        add_batch(std::nullopt);
    }

    // What has come of the input goes to the pool at once, so that no item waits for later ones.
    void read_and_send() {
        std::vector<char> buffer(kReadPart);
        os::ReadySet ready;
        while (!lines_.ended()) {
            ready.clear();
            ready.add_reader(os::kStandardInput);
            const std::size_t stop = ready.add_reader(stop_reading_.fd());
            ready.wait(os::kNoDeadline);
            if (ready.is_ready(stop)) return;
            const auto got = os::read_some(os::kStandardInput, buffer);
            if (!got && got.error().sys_errno == os::kTryAgain) continue;
            if (!got) {
                input_error_ = std::string("cannot read standard input: ") + std::strerror(got.error().sys_errno);
            }
            if (!got || got.value() == 0) {
                lines_.end();
            } else {
                lines_.add({buffer.data(), got.value()});
            }
            send_lines();
        }
    }

    void send_lines() {
        std::vector<std::string> some;
        std::string line;
        for (bool more = true; more;) {
            more = lines_.next(line);
            if (more) some.push_back(std::move(line));
            if (some.size() == kBatchItems || (!more && !some.empty())) {
                add_batch(std::exchange(some, {}));
            }
        }
    }

    // Nothing: there are no more.
    void add_batch(std::optional<std::vector<std::string>> lines) {
        std::unique_lock hold(lock_);
        changed_.wait(hold, [this] { return given_up_ || batches_.size() < kMostBatches; });
        if (given_up_) return;
        if (lines) {
            MapResult<Given> results = pool_.map(call_, *lines);
            const std::uint64_t first = count_ + 1;
            count_ += lines->size();
            batches_.emplace_back(Batch{first, std::move(*lines), std::move(results)});
        } else {
            batches_.emplace_back(std::nullopt);
        }
        changed_.notify_all();
    }

    std::optional<Batch> next_batch() {
        std::unique_lock hold(lock_);
        changed_.wait(hold, [this] { return !batches_.empty(); });
        std::optional<Batch> batch = std::move(batches_.front());
        batches_.pop_front();
        changed_.notify_all();
        return batch;
    }

    void write_as_they_come(Batch& batch) {
        std::size_t at = 0;
        for (auto result = batch.results.begin(); result != batch.results.end(); ++result, ++at)
            tell(batch, at, outcome_of([&] { return std::move(*result); }));
    }

    // What has failed is run again beside all others that have.
    void write_when_settled(Batch& batch) {
        std::vector<Outcome> outcomes;
        for (auto result = batch.results.begin(); result != batch.results.end(); ++result)
            outcomes.push_back(outcome_of([&] { return std::move(*result); }));
        std::vector<Future<Given>> again(outcomes.size());
        for (std::uint32_t round = 0; round < arguments_.retries; ++round) {
            bool any = false;
            for (std::size_t at = 0; at < outcomes.size(); ++at) {
                if (outcomes[at].fine) continue;
                again[at] = pool_.submit(call_, batch.lines[at]);
                any = true;
            }
            if (!any) break;
            for (std::size_t at = 0; at < outcomes.size(); ++at) {
                if (!outcomes[at].fine) outcomes[at] = outcome_of([&] { return again[at].get(); });
            }
        }
        for (std::size_t at = 0; at < outcomes.size(); ++at)
            tell(batch, at, std::move(outcomes[at]));
    }

    void tell(const Batch& batch, std::size_t at, Outcome outcome) {
        if (outcome.fine) {
            report_.item_done();
            write(outcome.text);
        } else {
            report_.item_failed(batch.first + at, batch.lines[at], outcome.text);
        }
        report_.progress();
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto written = os::write_some(os::kStandardOutput, bytes);
            if (!written) {
                throw std::runtime_error(std::string("cannot write to standard output: ") +
                                         std::strerror(written.error().sys_errno));
            }
            bytes.remove_prefix(written.value());
        }
    }

    // Nothing more is read, and what is under way is of no use.
    void give_up() {
        {
            const std::lock_guard hold(lock_);
            given_up_ = true;
            changed_.notify_all();
        }
        stop_reading_.notify();
        pool_.kill();
    }

    const MapArguments& arguments_;
    const Call call_;
    Lines lines_;
    ProcessPool pool_;
    Report report_;
    os::Notifier stop_reading_;
    std::string input_error_;  // the reader's, until it is joined

    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::optional<Batch>> batches_;
    std::uint64_t count_ = 0;
    bool given_up_ = false;
};

}  // namespace

hardwork_function load_plugin(const MapArguments& arguments, std::string& why) {
    return reinterpret_cast<hardwork_function>(os::load_function(arguments.library, arguments.function, why));
}

int map_by_plugin(const MapArguments& arguments, hardwork_function function) {
    return PluginMap(arguments, function).run();
}

}  // namespace hardwork::command
