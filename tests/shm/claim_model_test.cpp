// Claim words as models whose every interleaving is tried: a task never has two owners, also when the worker
// dies between any two stores. The model is also broken on purpose, to show that it would notice.
#include <gtest/gtest.h>

#include <compare>

#include "explorer.hpp"
#include "hardwork/error.hpp"
#include "shm/request.hpp"
#include "steps.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using testing::Step;
using Byte = std::uint8_t;

// The worker claims and runs it (and may die at any moment), the parent takes it back or buries.

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
    Step worker = Step::enter_claim;
    Step parent = Step::take_back_task;
    Byte given = 0;  // to another worker
    bool done = false;
    bool lost = false;
    auto operator<=>(const TaskModel&) const = default;
};

void worker_step(const TaskRules& rules, TaskModel& m) {
    const Step after_swap = rules.phase_first ? Step::enter_decode : Step::late_claim;
    switch (m.worker) {
        case Step::enter_claim:
            if (rules.phase_first) m.phase = Phase::claim;
            m.worker = rules.atomic ? Step::claim_task : Step::look;
            break;
        case Step::look: m.worker = m.claim == kOpen ? Step::claim_task : Step::over; break;
        case Step::claim_task:
            if (rules.atomic && m.claim != kOpen) {
                m.worker = Step::over;
            } else {
                m.claim = kClaimed;
                m.worker = after_swap;
            }
            break;
        case Step::late_claim:
            m.phase = Phase::claim;
            m.worker = Step::enter_decode;
            break;
        case Step::enter_decode:
            m.phase = Phase::decode;
            m.worker = Step::run;
            break;
        case Step::run:
            m.touched = true;
            m.worker = Step::enter_publish;
            break;
        case Step::enter_publish:
            m.phase = Phase::publish;
            m.worker = Step::publish;
            break;
        default:
            m.record = true;
            m.worker = Step::over;
            break;
    }
}

void parent_step(const TaskRules& rules, TaskModel& m) {
    if (m.parent == Step::take_back_task) {
        if (!rules.parent_takes || m.claim != kOpen) {
            m.parent = Step::bury;
        } else if (rules.atomic) {
            m.claim = kTaken;
            ++m.given;
            m.parent = Step::over;
        } else {
            m.parent = Step::late_take;
        }
    } else if (m.parent == Step::late_take) {
        m.claim = kTaken;
        ++m.given;
        m.parent = Step::over;
    } else if (m.record) {  // also of a dead worker: the last drain
        m.done = true;
        m.parent = Step::over;
    } else if (!m.alive) {  // the table of docs/design/lane.md
        const bool untouched = m.claim == kOpen || m.phase == Phase::claim;
        if (untouched) ++m.given;
        m.lost = !untouched;
        m.parent = Step::over;
    }
}

testing::Explored<TaskModel> all_tasks(const TaskRules& rules) {
    return explore(TaskModel{}, [&](const TaskModel& m, std::vector<TaskModel>& out) {
        if (m.alive && m.worker != Step::over) worker_step(rules, out.emplace_back(m));
        if (m.alive) out.emplace_back(m).alive = false;
        if (m.parent != Step::over) {
            TaskModel next = m;
            parent_step(rules, next);
            if (next != m) out.push_back(next);
        }
    });
}

bool ran_twice(const TaskModel& m) { return m.given + (m.touched ? 1 : 0) > 1; }
bool forgotten(const TaskModel& m) { return m.given + (m.done ? 1 : 0) + (m.lost ? 1 : 0) != 1; }
// Lost although its code had not begun: only between the store of DECODE and the first look at the task.
bool lost_unclaimed(const TaskModel& m) { return m.lost && m.worker != Step::run && !m.touched; }

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

}  // namespace
}  // namespace hardwork::shm
