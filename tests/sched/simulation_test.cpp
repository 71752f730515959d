// The policies together, in made-up time: what they lose against a division of the work that knew every duration.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <numeric>
#include <queue>
#include <string>
#include <vector>

#include "sched/batch.hpp"
#include "sched/placement.hpp"
#include "sched/span.hpp"

namespace hardwork::sched {
namespace {

using Durations = std::vector<std::uint32_t>;

struct Shape {
    const char* name;
    std::function<std::uint32_t(std::uint64_t i, std::uint64_t count, std::uint32_t base)> ns;
};

const Shape kShapes[] = {
    {"uniform", [](auto, auto, std::uint32_t base) { return base; }},
    {"skewed", [](std::uint64_t i, auto, std::uint32_t base) { return i % 97 == 96 ? 200 * base : base; }},
    {"increasing",
     [](std::uint64_t i, std::uint64_t count, std::uint32_t base) {
         return base / 10 + static_cast<std::uint32_t>(2 * std::uint64_t{base} * i / count);
     }},
    {"decreasing",
     [](std::uint64_t i, std::uint64_t count, std::uint32_t base) {
         return base / 10 + static_cast<std::uint32_t>(2 * std::uint64_t{base} * (count - i) / count);
     }},
    {"all the work at the end", [](std::uint64_t i, std::uint64_t count,
                                   std::uint32_t base) { return i >= count - count / 5 ? 20 * base : base; }},
};

Durations make(const Shape& shape, std::uint64_t count, std::uint32_t base) {
    Durations durations(count);
    for (std::uint64_t i = 0; i < count; ++i)
        durations[i] = shape.ns(i, count, base);
    return durations;
}

// No division is quicker than the work over the workers, or than the longest single item.
std::uint64_t ideal(const Durations& durations, std::size_t workers) {
    const std::uint64_t total = std::accumulate(durations.begin(), durations.end(), std::uint64_t{0});
    return std::max<std::uint64_t>(total / workers, *std::max_element(durations.begin(), durations.end()));
}

struct Outcome {
    std::uint64_t makespan = 0;
    std::uint64_t steals = 0;
    std::uint64_t spans = 0;
    std::vector<std::uint32_t> runs;  // how often each item was run
};

// A map over `workers`: spans as the parent hands them out, halves of spans as idle workers take them.
class MapSimulation {
  public:
    static constexpr std::uint64_t kFetchNs = 5'000;
    static constexpr std::uint64_t kStealNs = 20'000;
    static constexpr std::uint64_t kLookNs = 100'000;  // an idle worker that found nothing is looked after again

    MapSimulation(const Durations& durations, std::size_t workers) : durations_(durations), workers_(workers) {
        outcome_.runs.assign(durations.size(), 0);
    }

    Outcome run() {
        for (std::size_t w = 0; w < workers_.size(); ++w)
            events_.push({0, w});
        while (!events_.empty() && done_ < durations_.size()) {
            const Event event = events_.top();
            events_.pop();
            step(event.worker, event.at);
        }
        EXPECT_EQ(done_, durations_.size());
        return outcome_;
    }

  private:
    struct Worker {
        std::uint64_t next = 0;  // of its span, the first item not started
        std::uint64_t end = 0;
        bool running = false;
        std::uint64_t item = 0;
    };
    struct Event {
        std::uint64_t at;
        std::size_t worker;
        bool operator>(const Event& other) const { return at > other.at; }
    };

    void step(std::size_t w, std::uint64_t now) {
        Worker& worker = workers_[w];
        if (worker.running) {
            worker.running = false;
            ++done_;
            ++outcome_.runs[worker.item];
            outcome_.makespan = std::max(outcome_.makespan, now);
            estimate_.observe(durations_[worker.item]);
        }
        std::uint64_t cost = 0;
        if (worker.next == worker.end && !fetch(worker, cost) && !steal(worker, cost)) {
            if (done_ < durations_.size()) events_.push({now + kLookNs, w});
            return;
        }
        worker.running = true;
        worker.item = worker.next++;
        events_.push({now + cost + durations_[worker.item], w});
    }

    bool fetch(Worker& worker, std::uint64_t& cost) {
        const std::uint64_t left = durations_.size() - handed_out_;
        if (left == 0) return false;
        const std::uint32_t size = span_size(left, static_cast<std::uint32_t>(workers_.size()), estimate_);
        worker.next = handed_out_;
        worker.end = handed_out_ += size;
        cost = kFetchNs;
        ++outcome_.spans;
        return true;
    }

    // Whose rest is longest, by count: nobody knows the durations of what has not run.
    bool steal(Worker& thief, std::uint64_t& cost) {
        Worker* victim = nullptr;
        for (Worker& other : workers_) {
            const std::uint64_t rest = other.end - other.next;
            if (rest == 0) continue;
            if (victim == nullptr || rest > victim->end - victim->next) victim = &other;
        }
        if (victim == nullptr) return false;
        const auto rest = static_cast<std::uint32_t>(victim->end - victim->next);
        thief.end = victim->end;
        victim->end = victim->next + split_point(rest);
        thief.next = victim->end;
        cost = kStealNs;
        ++outcome_.steals;
        return true;
    }

    const Durations& durations_;
    std::vector<Worker> workers_;
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t handed_out_ = 0;
    std::size_t done_ = 0;
    Estimate estimate_;
    Outcome outcome_;
};

class MapOver : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Workers, MapOver, ::testing::Values(2, 3, 4, 8, 16, 32));

TEST_P(MapOver, EndsWithinATenthOfTheIdeal) {
    const std::size_t workers = GetParam();
    for (const Shape& shape : kShapes) {
        for (const std::uint32_t base : {500U, 10'000U, 200'000U}) {
            const Durations durations = make(shape, 200'000, base);
            const Outcome outcome = MapSimulation(durations, workers).run();
            const std::uint64_t best = ideal(durations, workers);
            EXPECT_LE(static_cast<double>(outcome.makespan), 1.10 * static_cast<double>(best))
                << shape.name << ", " << base << " ns, " << outcome.spans << " spans, " << outcome.steals << " steals";
            EXPECT_TRUE(std::all_of(outcome.runs.begin(), outcome.runs.end(), [](auto n) { return n == 1; }))
                << shape.name << ": an item was run twice or never";
        }
    }
}

TEST_P(MapOver, LongItemsInSmallNumbersAreSharedOut) {
    const std::size_t workers = GetParam();
    for (const std::size_t per_worker : {1U, 2U, 5U}) {
        const Durations durations(workers * per_worker, 50'000'000);
        const Outcome outcome = MapSimulation(durations, workers).run();
        EXPECT_LE(static_cast<double>(outcome.makespan), 1.10 * static_cast<double>(ideal(durations, workers)))
            << per_worker << " a worker";
    }
}

TEST_P(MapOver, TransportStaysSmall) {
    const Durations durations = make(kShapes[0], 200'000, 10'000);
    const Outcome outcome = MapSimulation(durations, GetParam()).run();
    EXPECT_LE(outcome.spans + outcome.steals, durations.size() / 20);
}

// Single tasks in rings: the parent fills a ring up to queue_depth, but only every `away` ns.
std::uint64_t run_tasks(const Durations& durations, std::size_t workers, std::uint64_t away) {
    std::vector<std::deque<std::uint32_t>> rings(workers);
    std::vector<std::uint64_t> free_at(workers, 0);
    Estimate estimate;
    std::size_t given = 0;
    std::size_t done = 0;
    std::uint64_t makespan = 0;
    for (std::uint64_t now = 0; done < durations.size(); now += away) {
        // What ran since the parent last looked. A worker that ran dry sat idle until now.
        for (std::size_t w = 0; w < workers; ++w) {
            while (!rings[w].empty() && free_at[w] + rings[w].front() <= now) {
                free_at[w] += rings[w].front();
                makespan = std::max(makespan, free_at[w]);
                estimate.observe(rings[w].front());
                rings[w].pop_front();
                ++done;
            }
            if (rings[w].empty()) free_at[w] = now;
        }
        const auto outstanding = static_cast<std::uint32_t>(durations.size() - done);
        const std::uint32_t depth = queue_depth(estimate, 1000, outstanding, static_cast<std::uint32_t>(workers));
        for (bool gave = true; gave && given < durations.size();) {
            gave = false;
            for (std::size_t w = 0; w < workers && given < durations.size(); ++w) {
                if (rings[w].size() >= depth) continue;  // the one that runs counts
                rings[w].push_back(durations[given++]);
                gave = true;
            }
        }
    }
    return makespan;
}

class TasksOver : public ::testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Workers, TasksOver, ::testing::Values(2, 4, 8, 32));

TEST_P(TasksOver, WorkersDoNotRunDryWhileTheParentIsAway) {
    const std::size_t workers = GetParam();
    for (const std::uint32_t ns : {5'000U, 50'000U, 700'000U, 4'000'000U, 20'000'000U}) {
        // Some twenty rings full for each worker; a ring of the shortest ones holds 1 ms of work.
        const std::size_t each = std::max<std::size_t>(20 * kQueueTargetNs / ns, 60);
        const Durations durations(workers * each, ns);
        const std::uint64_t makespan = run_tasks(durations, workers, 200'000);
        EXPECT_LE(static_cast<double>(makespan), 1.10 * static_cast<double>(ideal(durations, workers))) << ns;
    }
}

}  // namespace
}  // namespace hardwork::sched
