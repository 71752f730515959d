// Runs the benchmarks and prints ours beside what a C++ programmer would use instead.
//
// Names are `work/side`; ours is hardwork. By turns, several times each; the table has the medians, and beside what misses
// its target the floor and what lies above it. With --quick all is tried once, with little work: the numbers mean nothing.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "work.hpp"

namespace {

struct Row {
    const char* work;
    const char* reference;
    double target;       // ours over the reference's time, at most
    const char* wanted;  // the same in words
    const char* floor;   // the benchmark that does the least that is possible; nullptr: the reference is that
    const char* why;     // what the time goes into, where the target is missed
};
constexpr const char* kOfSubmit =
    "a task is encoded, handed on, decoded, run, and its result the same way back: two lines of memory cross from CPU "
    "to "
    "CPU twice, and a future is made and freed";
constexpr const char* kOfMap =
    "each result is a record of its own in shared memory, so that any item may fail by itself";
constexpr Row kRows[] = {
    {"submit", "std::async", 1.0 / 100, "100 times as fast", "submit/bare ring", kOfSubmit},
    {"submit", "tbb::task_group", 2, "2 times its time", "submit/bare ring", kOfSubmit},
    {"submit", "fork and pipe", 1.0 / 300, "300 times as fast", "submit/bare ring", kOfSubmit},
    {"round trip", "futex ping-pong", 2, "2 times its time", nullptr,
     "both ends look for a task in all lanes, and at what else there is to do, before they sleep"},
    {"map", "tbb::parallel_for", 3, "3 times its time", "map/bare memory", kOfMap},
    {"question", "tbb::parallel_for", 1.05, "1.05 times its time", "question/one thread",
     "half of one thread's time is the floor; above it, each list of factors is encoded, and decoded by the one "
     "reader"},
    {"100 MB", "written in place", 1.2, "1.2 times its time", nullptr,
     "memory that is used again is warm; at first it is not"},
    {"100 MB", "vector, copied", 1, "its time", nullptr, "nothing is copied"},
    {"true", "xargs -P", 1, "its time", nullptr,
     "both start a process a line (vfork, exec, wait): what is left is the kernel's"},
    {"true", "boost::process", 1, "its time", nullptr, "the same"},
};
// Of ours alone, in seconds a thing.
constexpr double kMostOfParent = 0.15e-6;
constexpr double kMostOfMap = 20e-9;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::string told(double seconds) {
    char text[32];
    const double ns = seconds * 1e9;
    const char* const unit = ns < 1e3 ? "ns" : ns < 1e6 ? "us" : "ms";
    std::snprintf(text, sizeof text, "%.3g %s", ns < 1e3 ? ns : ns < 1e6 ? ns / 1e3 : ns / 1e6, unit);
    return text;
}

class Reporter final : public benchmark::ConsoleReporter {
  public:
    Reporter() : ConsoleReporter(OO_Tabular) {}  // no colours: it may go to a file
    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs) {
            if (run.error_occurred) failed_ = true;
            const auto rate = run.counters.find("items_per_second");
            if (run.run_type != Run::RT_Iteration || rate == run.counters.end()) continue;
            times_[run.run_name.function_name].push_back(1 / rate->second.value);
            if (const auto cpu = run.counters.find("parent_s"); cpu != run.counters.end())
                parent_.push_back(cpu->second);
        }
    }

    int print_table() const {
        std::printf("\n%-12s %-10s %-20s %-10s %-10s %s\n", "work", "hardwork", "reference", "", "ours/its", "at most");
        for (const Row& row : kRows) {
            const auto ours = time(std::string(row.work) + "/hardwork");
            const auto theirs = time(std::string(row.work) + "/" + row.reference);
            if (!ours || !theirs) continue;
            const double ratio = *ours / *theirs;
            std::printf("%-12s %-10s %-20s %-10s %-10.3g %s%s\n", row.work, told(*ours).c_str(), row.reference,
                        told(*theirs).c_str(), ratio, row.wanted, ratio <= row.target ? "" : "  MISSED");
            if (ratio > row.target) print_floor(row.floor, row.why);
        }
        if (!parent_.empty()) {
            print_alone("submit, CPU time of the parent", median(parent_), kMostOfParent, "submit/bare ring",
                        kOfSubmit);
        }
        if (const auto map = time("map/hardwork")) {
            print_alone("map, an item", *map, kMostOfMap, "map/bare memory", kOfMap);
        }
        return failed_ ? 1 : 0;
    }

  private:
    std::optional<double> time(const std::string& name) const {
        const auto found = times_.find(name);
        return found == times_.end() ? std::nullopt : std::optional(median(found->second));
    }
    void print_alone(const char* what, double seconds, double most, const char* floor, const char* why) const {
        const bool fine = seconds <= most;
        std::printf("%s: %s; at most %s%s\n", what, told(seconds).c_str(), told(most).c_str(), fine ? "" : "  MISSED");
        if (!fine) print_floor(floor, why);
    }
    void print_floor(const char* floor, const char* why) const {
        if (const auto least = floor != nullptr ? time(floor) : std::nullopt) {
            std::printf("    floor: %s takes %s\n", floor, told(*least).c_str());
        }
        std::printf("    why: %s\n", why);
    }

    std::map<std::string, std::vector<double>> times_;
    std::vector<double> parent_;
    bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    bench::start_small_process();
    hardwork::Template::prepare();  // before oneTBB has threads
    // What is given on the command line comes later, and counts.
    std::vector<std::string> words{argv[0], "--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true"};
    for (const std::string& word : std::vector<std::string>(argv + 1, argv + argc)) {
        if (word != "--quick") {
            words.push_back(word);
            continue;
        }
        bench::quick() = true;
        words.insert(words.end(), {"--benchmark_repetitions=1", "--benchmark_min_time=0.001"});
    }
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    Reporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return reporter.print_table();
}
