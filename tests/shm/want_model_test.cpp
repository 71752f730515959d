// Two threads of the parent that sleep for the results of one worker, and share the word that says so: a caller, which
// may give up at any time, and the collector. As a model, with memory that reorders; broken on purpose, too.
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

constexpr Byte kRecords = 2;
constexpr Byte kNobody = 255;
enum Who : std::size_t { kWorker, kCaller, kCollector };
enum Word : std::size_t { kData, kWant, kBells, kWords = kBells + 2 };
using Memory = testing::WeakMemory<kWords>;

struct Rules {
    bool keeps_bits = true;  // add_want leaves the other's bit
    bool counts = true;      // and makes a new value each time
    bool fence = true;
};

struct Sleeper {
    Step at = Step::drain_lane;
    Byte saw_bell = 0;
    bool asleep = false;
    bool leaves = false;
    auto operator<=>(const Sleeper&) const = default;
};

struct Model {
    Memory memory;
    std::array<Sleeper, 2> sleepers{};
    Step worker = Step::result_tail_store;
    Byte lock = kNobody;  // the engine's
    Byte want = 0;        // LaneState::want, under it: the low bits as in ParentLine::want, above them the count
    Byte received = 0;    // under it
    Byte sent = 0;
    Byte saw_want = 0;
    Byte answered = 0;
    auto operator<=>(const Model&) const = default;
};

constexpr Byte bit_of(Who who) { return who == kCaller ? 1 : 2; }
constexpr std::size_t bell_of(Who who) { return kBells + (who == kCaller ? 0U : 1U); }

void store_want(Model& m, Who who, Byte want) {
    m.want = want;
    m.memory.store(who, kWant, want, false);
}

void sleeper_step(const Rules& rules, Model& m, Who who) {
    Sleeper& me = m.sleepers[who - kCaller];
    if (m.lock != kNobody && m.lock != who) return;
    const auto unlock = [&] {  // which others see after all that was stored before
        if (m.memory.drained(who)) m.lock = kNobody;
        return m.lock == kNobody;
    };
    switch (me.at) {
        case Step::drain_lane:
            if (m.received == kRecords || me.leaves) {
                m.lock = static_cast<Byte>(who);
                if (unlock()) me.at = Step::over;
                break;
            }
            m.lock = static_cast<Byte>(who);
            if (const Byte data = m.memory.load(who, kData); data != m.received) {
                m.received = data;
                break;
            }
            me.saw_bell = m.memory.load(who, bell_of(who));
            me.at = Step::add_want;
            break;
        case Step::add_want: {
            const Byte bits = static_cast<Byte>((rules.keeps_bits ? m.want & 3 : 0) | bit_of(who));
            store_want(m, who, static_cast<Byte>(((m.want & ~3) + (rules.counts ? 4 : 0)) | bits));
            me.at = rules.fence ? Step::full_fence : Step::result_tail_load;
            break;
        }
        case Step::full_fence:
            if (m.memory.drained(who)) me.at = Step::result_tail_load;
            break;
        case Step::result_tail_load:
            me.at = m.memory.load(who, kData) != m.received ? Step::drop_want : Step::futex_wait;
            break;
        case Step::futex_wait:
            if (!unlock()) break;
            me.asleep = m.memory.locked(bell_of(who)) == me.saw_bell;
            me.at = Step::drop_want;
            break;
        default:  // drop_want: the collector leaves its bit
            m.lock = static_cast<Byte>(who);
            if (who == kCaller && (m.want & bit_of(who)) != 0) {
                if (!m.memory.can_store(who)) break;
                store_want(m, who, static_cast<Byte>(m.want & ~bit_of(who)));
            }
            me.at = Step::drain_lane;
            break;
    }
}

void worker_step(Model& m) {
    const auto finish = [&m] { m.worker = ++m.sent == kRecords ? Step::over : Step::result_tail_store; };
    const auto ring = [&m](Who who, Step next) {
        if (!m.memory.drained(kWorker)) return;
        if ((m.saw_want & bit_of(who)) != 0) {
            ++m.memory.locked(bell_of(who));
            m.sleepers[who - kCaller].asleep = false;  // futex_wake
        }
        m.worker = next;
    };
    switch (m.worker) {
        case Step::result_tail_store:
            m.memory.store(kWorker, kData, static_cast<Byte>(m.sent + 1), true);
            m.worker = Step::full_fence;
            break;
        case Step::full_fence:
            if (m.memory.drained(kWorker)) m.worker = Step::want_load;
            break;
        case Step::want_load:
            m.saw_want = m.memory.load(kWorker, kWant);
            if ((m.saw_want & 3) == 0 || m.saw_want == m.answered) return finish();
            m.answered = m.saw_want;
            m.worker = Step::caller_bell_fetch_add;
            break;
        case Step::caller_bell_fetch_add: ring(kCaller, Step::collector_bell_fetch_add); break;
        case Step::collector_bell_fetch_add: ring(kCollector, Step::futex_wake); break;
        default: finish(); break;
    }
}

testing::Explored<Model> all(const Rules& rules) {
    return explore(Model{}, [&](const Model& m, std::vector<Model>& out) {
        const auto take = [&](auto body) {
            Model next = m;
            body(next);
            if (next != m) out.push_back(next);
        };
        if (m.worker != Step::over && m.memory.can_store(kWorker)) take(worker_step);
        for (const Who who : {kCaller, kCollector}) {
            const Sleeper& sleeper = m.sleepers[who - kCaller];
            if (sleeper.at == Step::over || !m.memory.can_store(who)) continue;
            if (!sleeper.asleep) take([&](Model& next) { sleeper_step(rules, next, who); });
        }
        // The caller's time is over: it takes back its bit and goes.
        const Sleeper& caller = m.sleepers[0];
        if (caller.asleep && m.lock == kNobody) {
            Model next = m;
            next.sleepers[0] = {Step::drop_want, 0, false, true};
            out.push_back(next);
        }
        Memory::flush(m, &Model::memory, true, out);
    });
}

bool lost_wake_up(const Model& m) { return m.received < kRecords; }

TEST(WantModel, NoWakeUpIsLost) {
    const auto explored = all({});
    EXPECT_GT(explored.states, 1'000U);
    EXPECT_FALSE(explored.ends.empty());
    EXPECT_EQ(explored.count(lost_wake_up), 0U);
    EXPECT_GT(explored.count([](const Model& m) { return m.sleepers[0].at == Step::over; }), 0U);
}

TEST(WantModel, ACallerThatTakesTheCollectorsBitLosesOne) {
    EXPECT_GT(all({false, true, true}).count(lost_wake_up), 0U);
}

TEST(WantModel, WithoutTheCountOneIsLost) { EXPECT_GT(all({true, false, true}).count(lost_wake_up), 0U); }

TEST(WantModel, WithoutTheFenceOneIsLost) { EXPECT_GT(all({true, true, false}).count(lost_wake_up), 0U); }

}  // namespace
}  // namespace hardwork::shm
