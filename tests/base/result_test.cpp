#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hardwork {
namespace {

using base::Result;

Result<int> half(int value) {
    if (value % 2 != 0) return Error{Errc::invalid_argument, 22, "halve an odd number"};
    return value / 2;
}

TEST(Result, HoldsAValue) {
    const auto result = half(8);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.value(), 4);
}

TEST(Result, HoldsAnError) {
    const auto result = half(7);
    ASSERT_FALSE(result);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::invalid_argument);
    EXPECT_EQ(result.error().sys_errno, 22);
    EXPECT_STREQ(result.error().what, "halve an odd number");
}

TEST(Result, TakeMovesTheValueOut) {
    Result<std::unique_ptr<std::string>> result(std::make_unique<std::string>("moved"));
    ASSERT_TRUE(result);
    const std::unique_ptr<std::string> taken = result.take();
    EXPECT_EQ(*taken, "moved");
    EXPECT_EQ(result.value(), nullptr);
}

TEST(Result, ValueCanBeChangedInPlace) {
    Result<std::string> result(std::string("a"));
    result.value() += "b";
    EXPECT_EQ(result.value(), "ab");
}

TEST(Status, IsSuccessUnlessItHoldsAnError) {
    const Status fine;
    EXPECT_TRUE(fine);
    EXPECT_EQ(fine.error().code, Errc::ok);
    const Status bad(Error{Errc::system, 5, "read"});
    EXPECT_FALSE(bad);
    EXPECT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().sys_errno, 5);
}

TEST(ErrorWords, EveryPhaseHasAName) {
    EXPECT_STREQ(phase_name(Phase::spawn), "SPAWN");
    EXPECT_STREQ(phase_name(Phase::publish), "PUBLISH");
    for (int phase = 0; phase <= 7; ++phase) {
        EXPECT_STRNE(phase_name(static_cast<Phase>(phase)), "UNKNOWN") << phase;
    }
    // A worker writes its phase into shared memory: any byte may stand there.
    EXPECT_STREQ(phase_name(static_cast<Phase>(200)), "UNKNOWN");
}

TEST(ErrorWords, ADefaultExitStatusIsUnknown) {
    EXPECT_EQ(ExitStatus{}.kind, ExitStatus::Kind::unknown);
    EXPECT_EQ(WorkerDeath{}.phase, Phase::spawn);
}

}  // namespace
}  // namespace hardwork
