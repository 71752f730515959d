// Claim words as models whose every interleaving is tried: one task or item never has two owners, also when the worker
// dies between any two stores. Each model is also broken on purpose, to show that it would notice.
#include <gtest/gtest.h>

#include <array>
#include <compare>

#include "explorer.hpp"
#include "hardwork/error.hpp"
#include "shm/request.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using Byte = std::uint8_t;

// --- One task: the worker claims and runs it (and may die at any moment), the parent takes it back or buries.

struct TaskRules {
    bool atomic = true;       // compare and swap; else: look, then store
    bool phase_first = true;  // the phase CLAIM is stored before the claim
    bool parent_takes = true;
};

struct TaskModel {
    std::uint64_t claim = kOpen;
    Phase phase = Phase::idle;
    bool record = false;
    bool touched = false;  // the task's own code has begun
    bool alive = true;
    Byte worker = 0;
    Byte parent = 0;
    Byte given = 0;  // to another worker
    bool done = false;
    bool lost = false;
    auto operator<=>(const TaskModel&) const = default;
};

enum WorkerStep : Byte {
    kEnterClaim,
    kLook,
    kSwap,
    kLateClaim,
    kEnterDecode,
    kTouch,
    kPublishPhase,
    kPublish,
    kRested
};
enum ParentStep : Byte { kTake, kTakeStore, kWait, kSettled };

void worker_step(const TaskRules& rules, TaskModel& m) {
    const Byte after_swap = rules.phase_first ? kEnterDecode : kLateClaim;
    switch (m.worker) {
        case kEnterClaim:
            if (rules.phase_first) m.phase = Phase::claim;
            m.worker = rules.atomic ? kSwap : kLook;
            break;
        case kLook: m.worker = m.claim == kOpen ? kSwap : kRested; break;
        case kSwap:
            if (rules.atomic && m.claim != kOpen) {
                m.worker = kRested;
            } else {
                m.claim = kClaimed;
                m.worker = after_swap;
            }
            break;
        case kLateClaim:
            m.phase = Phase::claim;
            m.worker = kEnterDecode;
            break;
        case kEnterDecode:
            m.phase = Phase::decode;
            m.worker = kTouch;
            break;
        case kTouch:
            m.touched = true;
            m.worker = kPublishPhase;
            break;
        case kPublishPhase:
            m.phase = Phase::publish;
            m.worker = kPublish;
            break;
        default:
            m.record = true;
            m.worker = kRested;
            break;
    }
}

void parent_step(const TaskRules& rules, TaskModel& m) {
    if (m.parent == kTake) {
        if (!rules.parent_takes || m.claim != kOpen) {
            m.parent = kWait;
        } else if (rules.atomic) {
            m.claim = kTaken;
            ++m.given;
            m.parent = kSettled;
        } else {
            m.parent = kTakeStore;
        }
    } else if (m.parent == kTakeStore) {
        m.claim = kTaken;
        ++m.given;
        m.parent = kSettled;
    } else if (m.record) {  // also of a dead worker: the last drain
        m.done = true;
        m.parent = kSettled;
    } else if (!m.alive) {  // the table of docs/design/lane.md
        const bool untouched = m.claim == kOpen || m.phase == Phase::claim;
        if (untouched) ++m.given;
        m.lost = !untouched;
        m.parent = kSettled;
    }
}

testing::Explored<TaskModel> all_tasks(const TaskRules& rules) {
    return explore(TaskModel{}, [&](const TaskModel& m, std::vector<TaskModel>& out) {
        if (m.alive && m.worker != kRested) worker_step(rules, out.emplace_back(m));
        if (m.alive) out.emplace_back(m).alive = false;
        if (m.parent != kSettled) {
            TaskModel next = m;
            parent_step(rules, next);
            if (next != m) out.push_back(next);
        }
    });
}

bool ran_twice(const TaskModel& m) { return m.given + (m.touched ? 1 : 0) > 1; }
bool forgotten(const TaskModel& m) { return m.given + (m.done ? 1 : 0) + (m.lost ? 1 : 0) != 1; }
// Lost although its code had not begun: only between the store of DECODE and the first look at the task.
bool lost_unclaimed(const TaskModel& m) { return m.lost && m.worker != kTouch && !m.touched; }

TEST(TaskClaimModel, EveryTaskHasExactlyOneEnd) {
    for (const bool parent_takes : {true, false}) {
        const auto all = all_tasks({true, true, parent_takes});
        EXPECT_GT(all.states, 20U);
        EXPECT_EQ(all.count(ran_twice), 0U);
        EXPECT_EQ(all.count(forgotten), 0U);
        EXPECT_EQ(all.count(lost_unclaimed), 0U);
        // All kinds of ends are met: the model does not pass by standing still.
        EXPECT_GT(all.count([](const TaskModel& m) { return m.done; }), 0U);
        EXPECT_GT(all.count([](const TaskModel& m) { return m.lost; }), 0U);
        EXPECT_GT(all.count([](const TaskModel& m) { return m.given == 1 && !m.alive; }), 0U);
        EXPECT_GT(all.count([](const TaskModel& m) { return m.done && !m.alive && m.touched; }), 0U) << "no last drain";
    }
}

TEST(TaskClaimModel, LookingAndThenStoringRunsATaskTwice) {
    EXPECT_GT(all_tasks({false, true, true}).count(ran_twice), 0U);
}

TEST(TaskClaimModel, APhaseAfterTheClaimLosesAnInnocentTask) {
    EXPECT_GT(all_tasks({true, false, true}).count(lost_unclaimed), 0U);
}

// --- One span: the worker claims items from the front, the parent takes tails.

constexpr std::uint32_t kItems = 5;
constexpr Byte kCuts = 2;

struct SpanModel {
    std::uint64_t cursor = pack_cursor(0, kItems);
    std::array<Byte, kItems> owners{};
    std::uint64_t worker_saw = 0;
    std::uint64_t parent_saw = 0;
    bool worker_looked = false;
    bool worker_done = false;
    bool parent_looked = false;
    Byte cuts = 0;
    bool disorder = false;
    std::uint32_t expected = 0;  // the worker's next item
    auto operator<=>(const SpanModel&) const = default;
};

void worker_step(SpanModel& m, bool atomic) {
    if (!m.worker_looked) {
        m.worker_saw = m.cursor;
        m.worker_looked = true;
        m.worker_done = cursor_next(m.cursor) >= cursor_end(m.cursor);
        return;
    }
    m.worker_looked = false;  // a failed swap looks again, as a successful one does for the next item
    if (atomic && m.cursor != m.worker_saw) return;
    const std::uint32_t item = cursor_next(m.worker_saw);
    m.cursor = m.worker_saw + 1;
    ++m.owners[item];
    m.disorder = m.disorder || item != m.expected;
    m.expected = item + 1;
}

void parent_step(SpanModel& m, std::uint32_t keep, bool atomic) {
    const std::uint32_t next = cursor_next(m.parent_saw);
    const std::uint32_t end = cursor_end(m.parent_saw);
    if (!m.parent_looked) {
        m.parent_saw = m.cursor;
        const std::uint32_t left = cursor_end(m.cursor) - cursor_next(m.cursor);
        m.parent_looked = left > keep;
        if (!m.parent_looked) ++m.cuts;
        return;
    }
    m.parent_looked = false;
    if (atomic && m.cursor != m.parent_saw) return;
    m.cursor = pack_cursor(next, next + keep);
    for (std::uint32_t item = next + keep; item < end; ++item)
        ++m.owners[item];
    ++m.cuts;
}

testing::Explored<SpanModel> all_spans(std::uint32_t keep, bool atomic) {
    return explore(SpanModel{}, [&](const SpanModel& m, std::vector<SpanModel>& out) {
        if (!m.worker_done && cursor_next(m.cursor) < kItems) worker_step(out.emplace_back(m), atomic);
        // A second cut leaves nothing: what the first one kept can be taken as well.
        if (m.cuts < kCuts) parent_step(out.emplace_back(m), m.cuts == 0 ? keep : 0, atomic);
    });
}

bool owned_wrongly(const SpanModel& m) {
    for (const Byte owners : m.owners) {
        if (owners != 1) return true;
    }
    return false;
}

TEST(SpanClaimModel, EveryItemHasExactlyOneOwner) {
    for (std::uint32_t keep = 0; keep <= kItems; ++keep) {
        const auto all = all_spans(keep, true);
        EXPECT_GT(all.ends.size(), 1U);
        EXPECT_EQ(all.count(owned_wrongly), 0U) << "keep " << keep;
        EXPECT_EQ(all.count([](const SpanModel& m) { return m.disorder; }), 0U) << "keep " << keep;
    }
}

TEST(SpanClaimModel, BothSidesGetSome) {
    const auto all = all_spans(2, true);
    EXPECT_GT(all.count([](const SpanModel& m) { return m.expected == kItems; }), 0U) << "all by the worker";
    EXPECT_GT(all.count([](const SpanModel& m) { return m.expected == 0; }), 0U) << "all taken";
    EXPECT_GT(all.count([](const SpanModel& m) { return m.expected == 3; }), 0U) << "shared";
}

TEST(SpanClaimModel, LookingAndThenStoringGivesAnItemTwoOwners) {
    EXPECT_GT(all_spans(1, false).count(owned_wrongly), 0U);
}

}  // namespace
}  // namespace hardwork::shm
