// A crash at every store: the same work again and again, each time with a strike at another fault point. Whatever is
// struck, every task ends, what was not running when its worker ended is run exactly once, and the pool goes on.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>

#include "fault_walk.hpp"

namespace hardwork::test {

#ifdef HARDWORK_CAN_STRIKE

class EveryPlace : public FaultPoints, public ::testing::WithParamInterface<Strike> {
  protected:
    void walk_in(Run run, Role who, std::size_t fewest) {
        const std::vector<Place> places = places_of(run, who);
        ASSERT_GE(places.size(), fewest) << "places were not found";
        walk_over(run, places, who);
    }
    void walk_over(Run run, const std::vector<Place>& places, Role who) {
        std::optional<Continuer> continuer;
        if (GetParam() == Strike::stop) continuer.emplace();
        walk(run, places, who, GetParam());
    }
};

TEST_P(EveryPlace, InAWorker) { walk_in(&FaultPoints::plain, Role::worker, 30); }

// The parent is at its books when a worker is struck.
TEST_P(EveryPlace, InTheParent) { walk_in(&FaultPoints::plain, Role::parent, 30); }

// Nobody dies with the template, whenever that is.
TEST_P(EveryPlace, InTheTemplate) { walk_in(&FaultPoints::plain, Role::zygote, 5); }

// What only limits, stops, memory limits and births without a template pass.
TEST_P(EveryPlace, OfStopsInAWorker) {
    walk_over(&FaultPoints::limits, places_beside(&FaultPoints::limits, &FaultPoints::plain, Role::worker),
              Role::worker);
}

TEST_P(EveryPlace, OfStopsInTheParent) {
    walk_over(&FaultPoints::limits, places_beside(&FaultPoints::limits, &FaultPoints::plain, Role::parent),
              Role::parent);
}

TEST_P(EveryPlace, OfMemoryLimits) {
    if (GetParam() != Strike::kill) GTEST_SKIP() << "as OfStops, once more";
    for (const Role who : {Role::worker, Role::parent}) {
        std::vector<Place> places = places_of(&FaultPoints::memory, who);
        for (Place& place : places)
            place.passed = 1;
        walk_over(&FaultPoints::memory, places, who);
    }
}

TEST_P(EveryPlace, OfBirthsWithoutATemplate) {
    if (!kForksWithThreads) GTEST_SKIP() << "needs an allocator that survives a fork beside threads";
    walk_over(&FaultPoints::without_template,
              places_beside(&FaultPoints::without_template, &FaultPoints::plain, Role::parent), Role::parent);
}

// However it ends, all tasks end.
TEST_P(EveryPlace, OfFailingInitializersAndEnds) {
    for (const Run run : {&FaultPoints::failing, &FaultPoints::cancelled, &FaultPoints::terminated}) {
        std::vector<Place> places = places_of(run, Role::worker);
        for (Place& place : places)
            place.passed = 1;
        // Where a pool ends at once, few workers come so far as in a run that ends when all is done.
        std::optional<Continuer> continuer;
        if (GetParam() == Strike::stop) continuer.emplace();
        for (const Place& place : places) {
            SCOPED_TRACE(std::string(place.site->file) + ":" + std::to_string(place.site->line.load()));
            run_struck(run, place.site, 1, GetParam());
            ASSERT_FALSE(HasFailure());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, EveryPlace, ::testing::Values(Strike::kill, Strike::stop, Strike::segv, Strike::exit0),
                         [](const auto& each) { return name_of(each.param); });

// What tests/python/test_release.py looks for in a release, and must not find.
TEST_F(FaultPoints, AreInThisBuild) {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::string program((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (const char* name : {"claim_loop.cpp", "publisher.cpp", "dispatch.cpp", "worker.hpp"})
        EXPECT_NE(program.find(name), std::string::npos) << name;
}

TEST_F(FaultPoints, AtRandomUnderLoad) {
    const char* given = std::getenv("HARDWORK_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::printf("HARDWORK_SEED=%llu\n", static_cast<unsigned long long>(seed));
    const Continuer continuer;
    board()->random.store(seed * 0x2545f4914f6cdd1dU);
    for (int round = 0; round < 60 && !HasFailure(); ++round) {
        board()->strikes_left.store(1 + round % 6);
        board()->one_in.store(300 + 100 * (static_cast<std::uint32_t>(round) % 20));
        begin();
        const Lost lost = work();
        EXPECT_LE(lost.count, board()->struck.load());
        expect_whole();
        finish();
    }
}

#else

TEST(FaultPoints, AreNotInThisBuild) {
    GTEST_SKIP() << "built without HARDWORK_FAULT_POINTS (the preset dev has them), or with ThreadSanitizer";
}

#endif

}  // namespace hardwork::test
