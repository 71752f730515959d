// Sleeping and waking as models whose every interleaving is tried, with memory that reorders: who publishes and then looks
// for a sleeper, and who says that it sleeps and then looks for what was published, must both fence in between.
#include <gtest/gtest.h>

#include <array>
#include <compare>

#include "explorer.hpp"
#include "steps.hpp"
#include "weak_memory.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using testing::Step;
using Byte = std::uint8_t;

constexpr Byte kRecords = 3;
enum Who : std::size_t { kPublisher, kSleeper };
enum Word : std::size_t { kData, kFlag, kBell, kWords };  // the flag: sleeping, blocked, or want with its count
using Memory = testing::WeakMemory<kWords>;

struct Rules {
    bool publisher_fence = true;
    bool sleeper_fence = true;
    // What a sleeper does before it sleeps, but for the fence after its flag.
    std::array<Step, 3> before_sleep{Step::work_bell_load, Step::sleeping_store, Step::request_tail_load};
    bool bell_counts = true;  // ringing changes the bell's value, it does not only wake
    bool want_counts = true;  // each sleep stores a new value in the flag
    bool rings_once = false;  // the publisher answers a flag's value once (results), or each time (work, room)
    bool flag_stays = false;  // the sleeper leaves the flag set when it has woken
};

struct Model {
    Memory memory;
    Step publisher = Step::request_tail_store;
    Byte sent = 0;
    Byte saw_flag = 0;
    Byte answered = 0;
    Byte looks = 0;  // of the sleeper, before it sleeps: 0 while it drains; then how many it has done, and one
    bool fenced = true;
    Byte received = 0;
    Byte saw_bell = 0;
    Byte sleeps = 0;
    bool saw_data = false;
    bool asleep = false;
    bool woken = false;  // has slept, or has found that it must not
    auto operator<=>(const Model&) const = default;
};

void publisher_step(const Rules& rules, Model& m) {
    const auto finish = [&m] { m.publisher = ++m.sent == kRecords ? Step::over : Step::request_tail_store; };
    switch (m.publisher) {
        case Step::request_tail_store:
            m.memory.store(kPublisher, kData, static_cast<Byte>(m.sent + 1), true);
            m.publisher = rules.publisher_fence ? Step::full_fence : Step::sleeping_load;
            break;
        case Step::full_fence:
            if (m.memory.drained(kPublisher)) m.publisher = Step::sleeping_load;
            break;
        case Step::sleeping_load:
            m.saw_flag = m.memory.load(kPublisher, kFlag);
            if (m.saw_flag == 0 || (rules.rings_once && m.saw_flag == m.answered)) return finish();
            m.publisher = Step::work_bell_fetch_add;
            break;
        case Step::work_bell_fetch_add:
            if (!m.memory.drained(kPublisher)) break;
            m.answered = m.saw_flag;
            if (rules.bell_counts) ++m.memory.locked(kBell);
            m.publisher = Step::futex_wake;
            break;
        default:
            m.asleep = false;
            finish();
            break;
    }
}

void sleeper_step(const Rules& rules, Model& m) {
    const Byte data = m.memory.load(kSleeper, kData);
    if (m.woken) {
        if (!rules.flag_stays) m.memory.store(kSleeper, kFlag, 0, false);
        m.woken = false;
    } else if (!m.fenced) {
        m.fenced = m.memory.drained(kSleeper);
    } else if (m.looks == 0) {
        data != m.received ? m.received = data : m.looks = 1;
    } else if (m.looks <= rules.before_sleep.size()) {
        switch (rules.before_sleep[static_cast<std::size_t>(m.looks - 1)]) {
            case Step::work_bell_load: m.saw_bell = m.memory.load(kSleeper, kBell); break;
            case Step::sleeping_store:
                m.memory.store(kSleeper, kFlag, rules.want_counts ? ++m.sleeps : Byte{1}, false);
                m.fenced = !rules.sleeper_fence;
                break;
            default: m.saw_data = data != m.received; break;
        }
        ++m.looks;
    } else if (m.saw_data || m.memory.drained(kSleeper)) {
        m.asleep = !m.saw_data && m.memory.locked(kBell) == m.saw_bell;  // futex_wait compares and sleeps in one step
        m.woken = true;
        m.looks = 0;
    }
}

testing::Explored<Model> all(const Rules& rules) {
    return explore(Model{}, [&](const Model& m, std::vector<Model>& out) {
        const auto take = [&](auto body) {
            Model next = m;
            body(rules, next);
            if (next != m) out.push_back(next);
        };
        if (m.publisher != Step::over && m.memory.can_store(kPublisher)) take(publisher_step);
        if (!m.asleep && m.received < kRecords && m.memory.can_store(kSleeper)) take(sleeper_step);
        Memory::flush(m, &Model::memory, true, out);
    });
}

// Nobody can do anything, and something has not been read.
bool lost_wake_up(const Model& m) { return m.received < kRecords; }

constexpr std::array kInOrder{Step::work_bell_load, Step::sleeping_store, Step::request_tail_load};
// Work and room: parent -> worker by sleeping, blocked and work_bell.
const Rules kWork{true, true, kInOrder, true, false, false, false};
// Results: worker -> parent by want and a bell. The collector leaves its bit set, a caller clears it.
const Rules kCollector{true, true, kInOrder, true, true, true, true};
const Rules kCaller{true, true, kInOrder, true, true, true, false};

TEST(WakeModel, NoWakeUpIsLost) {
    for (const Rules& rules : {kWork, kCollector, kCaller}) {
        const auto explored = all(rules);
        EXPECT_GT(explored.states, 500U);
        EXPECT_FALSE(explored.ends.empty());
        EXPECT_EQ(explored.count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, APublisherWithoutTheFenceLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.publisher_fence = false;
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, ASleeperWithoutTheFenceLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.sleeper_fence = false;
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, ABellReadAfterTheLastLookLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.before_sleep = {Step::sleeping_store, Step::request_tail_load, Step::work_bell_load};
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, ABellThatOnlyWakesLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.bell_counts = false;
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

// A worker answers each value of want once: without the count it would stay silent at the second sleep.
TEST(WakeModel, AnsweringOnceNeedsTheCount) {
    for (Rules rules : {kCollector, kCaller}) {
        rules.want_counts = false;
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
        rules.rings_once = false;
        EXPECT_EQ(all(rules).count(lost_wake_up), 0U) << "answering each time does not";
    }
}

}  // namespace
}  // namespace hardwork::shm
