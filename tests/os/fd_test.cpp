#include "os/fd.hpp"

#include "os/duplicate.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::is_close_on_exec;
using testing::is_open;

Fd some_fd() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST(Fd, ClosesAtTheEndOfItsScope) {
    int number;
    {
        const Fd fd = some_fd();
        number = fd.get();
        ASSERT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsOwnership) {
    Fd first = some_fd();
    const int number = first.get();
    Fd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT: a moved-from Fd is empty by contract
    EXPECT_EQ(second.get(), number);
    Fd third = some_fd();
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_EQ(third.get(), number);
    EXPECT_TRUE(is_open(number));
    Fd& same = third;
    third = std::move(same);
    EXPECT_EQ(third.get(), number);
    EXPECT_TRUE(is_open(number));
}

TEST(Fd, ReleaseGivesItAway) {
    Fd fd = some_fd();
    const int number = fd.release();
    EXPECT_FALSE(fd);
    fd.reset();
    EXPECT_TRUE(is_open(number));
    close(number);
}

TEST(Fd, ResetKeepsErrno) {
    Fd fd = some_fd();
    close(fd.get());  // so that the close inside fails with EBADF
    errno = ENOTTY;
    fd.reset();
    EXPECT_EQ(errno, ENOTTY);
    EXPECT_EQ(fd.get(), -1);
}

TEST(Duplicate, IsAnotherNumberForTheSameFile) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const Fd out(ends[0]);
    Fd in(ends[1]);
    auto copy = duplicate(in.get());
    ASSERT_TRUE(copy);
    EXPECT_NE(copy.value().get(), in.get());
    EXPECT_TRUE(is_close_on_exec(copy.value().get()));
    in.reset();
    ASSERT_EQ(write(copy.value().get(), "x", 1), 1);
    char byte = 0;
    ASSERT_EQ(read(out.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
}

TEST(Duplicate, ABadDescriptorIsAnError) {
    const auto copy = duplicate(-1);
    ASSERT_FALSE(copy);
    EXPECT_EQ(copy.error().sys_errno, EBADF);
}

}  // namespace
}  // namespace hardwork::os
