// The claim word of a span as a model whose every interleaving is tried: the worker claims items from the front, the
// parent takes tails. The model is also broken on purpose, to show that it would notice.
#include <gtest/gtest.h>

#include <array>
#include <compare>

#include "explorer.hpp"
#include "shm/request.hpp"

namespace hardwork::shm {
namespace {

using testing::explore;
using Byte = std::uint8_t;

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

// claim_item, in its two steps: the look, and the swap.
void claim_item_step(SpanModel& m, bool atomic) {
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

// take_tail, likewise.
void take_tail_step(SpanModel& m, std::uint32_t keep, bool atomic) {
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
        if (!m.worker_done && cursor_next(m.cursor) < kItems) claim_item_step(out.emplace_back(m), atomic);
        // A second cut leaves nothing: what the first one kept can be taken as well.
        if (m.cuts < kCuts) take_tail_step(out.emplace_back(m), m.cuts == 0 ? keep : 0, atomic);
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
