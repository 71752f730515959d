// Sleeping and waking as models whose every interleaving is tried. The steps are sequentially consistent, as full_fence
// makes them; without it a processor may exchange a store with a later load, and that is done here by hand.
#include <gtest/gtest.h>

#include <array>
#include <compare>

#include "explorer.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using Byte = std::uint8_t;

constexpr Byte kRecords = 3;

enum class Look : Byte { bell, flag, data };  // what a sleeper does before it sleeps

struct Rules {
    bool publish_first = true;  // the publisher stores its data before it looks at the flag
    std::array<Look, 3> before_sleep{Look::bell, Look::flag, Look::data};
    bool bell_counts = true;  // ringing changes the bell's value, it does not only wake
    bool want_counts = true;  // each sleep stores a new value in the flag
    bool rings_once = false;  // the publisher answers a flag's value once (results), or each time (work, room)
    bool flag_stays = false;  // the sleeper leaves the flag set when it has woken
};

struct Model {
    Byte data = 0;  // published
    Byte flag = 0;  // sleeping, blocked, or want with its count
    Byte bell = 0;
    Byte publisher = 0;
    Byte sent = 0;
    Byte saw_flag = 0;
    Byte answered = 0;
    Byte sleeper = 0;
    Byte received = 0;
    Byte saw_bell = 0;
    Byte sleeps = 0;
    bool saw_data = false;
    bool asleep = false;
    auto operator<=>(const Model&) const = default;
};

void publisher_step(const Rules& rules, Model& m) {
    const auto finish = [&] {
        ++m.sent;
        m.publisher = 0;
    };
    switch (m.publisher) {
        case 0:
        case 1:
            if ((m.publisher == 0) == rules.publish_first) {
                ++m.data;
            } else {
                m.saw_flag = m.flag;
            }
            if (++m.publisher == 2) {
                const bool answer = m.saw_flag != 0 && (!rules.rings_once || m.saw_flag != m.answered);
                if (!answer) finish();
            }
            break;
        case 2:
            m.answered = m.saw_flag;
            if (rules.bell_counts) ++m.bell;
            m.publisher = 3;
            break;
        default:
            m.asleep = false;  // futex_wake
            finish();
            break;
    }
}

void sleeper_step(const Rules& rules, Model& m) {
    switch (m.sleeper) {
        case 0:
            if (m.data != m.received) {
                ++m.received;
            } else {
                m.sleeper = 1;
            }
            break;
        case 1:
        case 2:
        case 3:
            switch (rules.before_sleep[static_cast<std::size_t>(m.sleeper - 1)]) {
                case Look::bell: m.saw_bell = m.bell; break;
                case Look::flag: m.flag = rules.want_counts ? ++m.sleeps : Byte{1}; break;
                case Look::data: m.saw_data = m.data != m.received; break;
            }
            ++m.sleeper;
            break;
        case 4:
            m.asleep = !m.saw_data && m.bell == m.saw_bell;  // futex_wait compares and sleeps in one step
            m.sleeper = 5;
            break;
        default:
            if (!rules.flag_stays) m.flag = 0;
            m.sleeper = 0;
            break;
    }
}

testing::Explored<Model> all(const Rules& rules) {
    return explore(Model{}, [&](const Model& m, std::vector<Model>& out) {
        if (m.sent < kRecords) publisher_step(rules, out.emplace_back(m));
        if (!m.asleep && m.received < kRecords) sleeper_step(rules, out.emplace_back(m));
    });
}

// Nobody can do anything, and something has not been read.
bool lost_wake_up(const Model& m) { return m.received < kRecords; }

// Work and room: parent -> worker by sleeping, blocked and work_bell.
const Rules kWork{true, {Look::bell, Look::flag, Look::data}, true, false, false, false};
// Results: worker -> parent by want and a bell. The collector leaves its bit set, a caller clears it.
const Rules kCollector{true, {Look::bell, Look::flag, Look::data}, true, true, true, true};
const Rules kCaller{true, {Look::bell, Look::flag, Look::data}, true, true, true, false};

TEST(WakeModel, NoWakeUpIsLost) {
    for (const Rules& rules : {kWork, kCollector, kCaller}) {
        const auto explored = all(rules);
        EXPECT_GT(explored.states, 200U);
        EXPECT_FALSE(explored.ends.empty());
        EXPECT_EQ(explored.count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, APublisherWithoutTheFenceLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.publish_first = false;
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, ASleeperWithoutTheFenceLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.before_sleep = {Look::bell, Look::data, Look::flag};
        EXPECT_GT(all(rules).count(lost_wake_up), 0U);
    }
}

TEST(WakeModel, ABellReadAfterTheLastLookLosesOne) {
    for (Rules rules : {kWork, kCollector, kCaller}) {
        rules.before_sleep = {Look::flag, Look::data, Look::bell};
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
