// A lane's two rings as a model, with memory that reorders: requests there, records back, both rings smaller than what
// goes through them. Nothing is read before it is written or after it is overwritten, and no slot is free before its
// record has been read. The model is also broken on purpose, to show that it would notice.
#include <gtest/gtest.h>

#include <compare>

#include "explorer.hpp"
#include "steps.hpp"
#include "weak_memory.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using testing::Step;
using Byte = std::uint8_t;

constexpr Byte kSlots = 2;
constexpr Byte kCount = 3;  // the rings wrap
enum Who : std::size_t { kParent, kWorker };
// The words of the lane; of each ring the slots at the end.
enum Word : std::size_t {
    kRequestTail,
    kRequestHead,
    kResultTail,
    kResultHead,
    kRequests,
    kRecords = kRequests + kSlots
};
using Memory = testing::WeakMemory<kRecords + kSlots>;

struct Rules {
    bool request_release = true;
    bool record_release = true;
    bool head_release = true;      // request_head after the record's tail
    bool head_before_tail = true;  // the order of the parent's loads
    bool room = true;              // the worker looks whether a record has been read
};

struct Model {
    Memory memory;
    Step parent = Step::request_write;
    Step worker = Step::request_tail_load;
    Byte given = 0;     // requests published
    Byte passed = 0;    // slots that are free again
    Byte read = 0;      // records
    Byte saw_head = 0;  // of the requests
    Byte saw_tail = 0;
    Byte head = 0;         // the worker's own: requests done
    bool stale = false;    // somebody read what was not there
    bool accused = false;  // pass_requests found a slot without its record
    auto operator<=>(const Model&) const = default;
};

void store(Model& m, Who who, std::size_t word, Byte value, bool release) { m.memory.store(who, word, value, release); }

// What a slot has in it: the number of what was written, from 1 on.
void parent_step(const Rules& rules, Model& m) {
    const auto load = [&m](std::size_t word) { return m.memory.load(kParent, word); };
    const Step after_loads = Step::record_read;
    switch (m.parent) {
        case Step::request_write:
            if (m.given == kCount || m.given - m.passed == kSlots) {
                m.parent = rules.head_before_tail ? Step::request_head_load : Step::result_tail_load;
                break;
            }
            store(m, kParent, kRequests + m.given % kSlots, static_cast<Byte>(m.given + 1), false);
            m.parent = Step::request_tail_store;
            break;
        case Step::request_tail_store:
            store(m, kParent, kRequestTail, ++m.given, rules.request_release);
            m.parent = Step::request_write;
            break;
        case Step::request_head_load:
            m.saw_head = load(kRequestHead);
            m.parent = rules.head_before_tail ? Step::result_tail_load : after_loads;
            break;
        case Step::result_tail_load:
            m.saw_tail = load(kResultTail);
            m.parent = rules.head_before_tail ? after_loads : Step::request_head_load;
            break;
        case Step::record_read:
            if (m.read == m.saw_tail) {
                m.parent = Step::result_head_store;
                break;
            }
            m.stale = m.stale || load(kRecords + m.read % kSlots) != m.read + 1;
            ++m.read;
            break;
        case Step::result_head_store:
            if (load(kResultHead) != m.read) store(m, kParent, kResultHead, m.read, true);
            m.parent = Step::pass_requests;
            break;
        default:  // pass_requests
            m.accused = m.accused || m.saw_head > m.read;
            m.passed = m.saw_head;
            m.parent = m.passed == kCount ? Step::over : Step::request_write;
            break;
    }
}

void worker_step(const Rules& rules, Model& m) {
    const auto load = [&m](std::size_t word) { return m.memory.load(kWorker, word); };
    switch (m.worker) {
        case Step::request_tail_load:
            if (load(kRequestTail) == m.head) break;
            m.stale = m.stale || load(kRequests + m.head % kSlots) != m.head + 1;
            m.worker = Step::result_head_load;
            break;
        case Step::result_head_load:
            if (rules.room && m.head - load(kResultHead) == kSlots) break;
            m.worker = Step::record_write;
            break;
        case Step::record_write:
            store(m, kWorker, kRecords + m.head % kSlots, static_cast<Byte>(m.head + 1), false);
            m.worker = Step::result_tail_store;
            break;
        case Step::result_tail_store:
            store(m, kWorker, kResultTail, static_cast<Byte>(m.head + 1), rules.record_release);
            m.worker = Step::request_head_store;
            break;
        default:  // request_head_store
            store(m, kWorker, kRequestHead, ++m.head, rules.head_release);
            m.worker = m.head == kCount ? Step::over : Step::request_tail_load;
            break;
    }
}

testing::Explored<Model> all(const Rules& rules, bool reorders) {
    return explore(Model{}, [&](const Model& m, std::vector<Model>& out) {
        if (m.stale || m.accused) return;
        const auto take = [&](Step step, Who who, auto body) {
            if (step == Step::over || !m.memory.can_store(who)) return;
            Model next = m;
            body(rules, next);
            if (next != m) out.push_back(next);
        };
        take(m.parent, kParent, parent_step);
        take(m.worker, kWorker, worker_step);
        Memory::flush(m, &Model::memory, reorders, out);
    });
}

bool wrong(const Model& m) { return m.stale || m.accused; }
bool complete(const Model& m) { return m.parent == Step::over && m.read == kCount; }

TEST(RingModel, WhatIsReadHasBeenWritten) {
    for (const bool reorders : {false, true}) {
        const auto explored = all({}, reorders);
        EXPECT_GT(explored.states, 1'000U);
        EXPECT_GT(explored.count(complete), 0U);
        EXPECT_EQ(explored.count(wrong), 0U);
        EXPECT_EQ(explored.count([](const Model& m) { return !complete(m); }), 0U) << "somebody stands still";
    }
}

// On x86 stores keep their order by themselves.
TEST(RingModel, ATailThatIsNotReleasedShowsWhatIsNotThere) {
    for (const bool reorders : {false, true}) {
        Rules rules;
        rules.record_release = false;
        EXPECT_EQ(all(rules, reorders).count(wrong) != 0, reorders);
        rules = {};
        rules.request_release = false;
        EXPECT_EQ(all(rules, reorders).count(wrong) != 0, reorders);
    }
}

TEST(RingModel, AHeadThatIsNotReleasedAccusesAnHonestWorker) {
    Rules rules;
    rules.head_release = false;
    EXPECT_GT(all(rules, true).count([](const Model& m) { return m.accused; }), 0U);
    EXPECT_EQ(all(rules, false).count(wrong), 0U);
}

TEST(RingModel, ATailReadBeforeTheHeadAccusesAnHonestWorker) {
    Rules rules;
    rules.head_before_tail = false;
    EXPECT_GT(all(rules, false).count([](const Model& m) { return m.accused; }), 0U);
}

// As many records as slots may be unread: with one request a slot that is what the request ring sees to already.
TEST(RingModel, RequestsBoundTheRecordsOfTasks) {
    Rules rules;
    rules.room = false;
    EXPECT_EQ(all(rules, true).count(wrong), 0U);
}

}  // namespace
}  // namespace hardwork::shm
