#include "os/life.hpp"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/futex.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::Child;
using Kind = ExitStatus::Kind;

// One that a child of this process shares.
class Life : public ::testing::Test {
  protected:
    void SetUp() override {
        void* memory = mmap(nullptr, sizeof(LifeMark), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory, MAP_FAILED);
        mark = static_cast<LifeMark*>(memory);
        mark->prepare();
    }
    void TearDown() override { munmap(mark, sizeof(LifeMark)); }
    std::uint32_t value() const { return mark->word().load(); }
    // Sleeps until the word is another.
    void await_change_from(std::uint32_t before) const {
        while (value() == before)
            futex_wait(mark->word(), before, now_ns() + testing::kLongNs);
    }

    LifeMark* mark = nullptr;
};

TEST_F(Life, SaysThatTheThreadWasKilledAndWakes) {
    Child child([this] {
        mark->hold();
        for (;;)
            pause();
        return 0;
    });
    ASSERT_TRUE(testing::eventually([this] { return (value() & FUTEX_WAITERS) != 0; }));
    EXPECT_FALSE(LifeMark::ended(value()));
    EXPECT_FALSE(ending_status(child.pid())) << "it lives";
    const std::uint32_t held = value();
    kill(child.pid(), SIGKILL);
    await_change_from(held);
    EXPECT_TRUE(LifeMark::ended(value()));
    const auto status = ending_status(child.pid());
    ASSERT_TRUE(status);
    EXPECT_EQ(status->kind, Kind::signaled);
    EXPECT_EQ(status->value, SIGKILL);
}

TEST_F(Life, SaysThatTheProcessHasExited) {
    for (const int code : {3, 0}) {
        mark->prepare();
        Child child([this, code] {
            mark->hold();
            return code;
        });
        ASSERT_TRUE(testing::eventually([this] { return LifeMark::ended(value()); }));
        const auto status = ending_status(child.pid());
        ASSERT_TRUE(status);
        EXPECT_EQ(status->kind, code == 0 ? Kind::unknown : Kind::exited);
        EXPECT_EQ(status->value, code);
    }
}

TEST_F(Life, ThatWasLetGoSaysNothing) {
    Child child([this] {
        mark->hold();
        mark->let_go();
        return 3;
    });
    child.wait();
    EXPECT_EQ(value(), 0U);
    EXPECT_FALSE(ending_status(child.pid())) << "reaped";
}

TEST_F(Life, OfAForkOfTheHolderSaysNothing) {
    mark->hold();
    const std::uint32_t held = value();
    Child child([] { return 3; });
    child.wait();
    EXPECT_EQ(value(), held);
    mark->let_go();
}

TEST(IsStopped, SaysWhetherAProcessIs) {
    Child child([] {
        for (;;)
            pause();
        return 0;
    });
    EXPECT_FALSE(is_stopped(child.pid()));
    ASSERT_EQ(kill(child.pid(), SIGSTOP), 0);
    while (!is_stopped(child.pid()))
        usleep(1'000);
    ASSERT_EQ(kill(child.pid(), SIGCONT), 0);
    while (is_stopped(child.pid()))
        usleep(1'000);
    kill(child.pid(), SIGKILL);
    child.wait();
    EXPECT_FALSE(is_stopped(child.pid())) << "gone";
}

}  // namespace
}  // namespace hardwork::os
