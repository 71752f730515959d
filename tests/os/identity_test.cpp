#include "os/identity.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/fd.hpp"
#include "os/process.hpp"

namespace hardwork::os {
namespace {

TEST(FileIdentity, IsThatOfTheOpenFile) {
    const Fd one(memfd_create("one", 0));
    const Fd two(memfd_create("two", 0));
    const FileIdentity before = identity_of(one.get());
    EXPECT_NE(before, FileIdentity{});
    EXPECT_NE(before, identity_of(two.get()));
    const Fd same(dup(one.get()));
    EXPECT_EQ(before, identity_of(same.get()));
    ASSERT_EQ(dup2(two.get(), one.get()), one.get());
    EXPECT_NE(before, identity_of(one.get()));
}

TEST(FileIdentity, OfWhatIsClosedIsNone) { EXPECT_EQ(identity_of(-1), FileIdentity{}); }

TEST(PidBehind, IsTheProcessOfAPidfd) {
    const auto self = open_pidfd(getpid());
    ASSERT_TRUE(self);
    EXPECT_EQ(pid_behind(self.value().get()), getpid());
    const Fd other(memfd_create("other", 0));
    EXPECT_EQ(pid_behind(other.get()), 0);
    EXPECT_EQ(pid_behind(-1), 0);
}

}  // namespace
}  // namespace hardwork::os
