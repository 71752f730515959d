// Results as values: try_get, and what a Failure knows.
#include <signal.h>

#include <memory>
#include <new>
#include <string>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

TEST(Result, HoldsAValueOrAFailure) {
    Result<std::string> good("text");
    ASSERT_TRUE(good);
    EXPECT_TRUE(good.has_value());
    EXPECT_EQ(*good, "text");
    EXPECT_EQ(good->size(), 4U);
    EXPECT_EQ(std::move(good).value(), "text");
    Result<std::string> bad{Failure(std::make_exception_ptr(DecodeError("torn")))};
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().kind(), FailureKind::decode);
    EXPECT_EQ(bad.error().what(), "torn");
    EXPECT_EQ(bad.error().type_name(), "hardwork::DecodeError");
    EXPECT_EQ(bad.error().death(), nullptr);
    EXPECT_THROW(bad.value(), DecodeError);
    EXPECT_THROW(*bad, DecodeError);
    EXPECT_THROW(bad.error().rethrow(), DecodeError);
    EXPECT_EQ(std::move(bad).value_or("other"), "other");
    EXPECT_TRUE(Result<void>());
    EXPECT_EQ(*Result<std::unique_ptr<int>>(std::make_unique<int>(3)).value(), 3);
}

TEST(Result, EveryExceptionHasItsKind) {
    const auto kind = [](auto error) { return Failure(std::make_exception_ptr(error)).kind(); };
    EXPECT_EQ(kind(RemoteError("t", "m")), FailureKind::thrown);
    EXPECT_EQ(kind(std::runtime_error("x")), FailureKind::thrown);
    EXPECT_EQ(kind(42), FailureKind::thrown);
    EXPECT_EQ(kind(TaskTimeout()), FailureKind::task_timeout);
    EXPECT_EQ(kind(TaskStopped()), FailureKind::task_stopped);
    EXPECT_EQ(kind(WorkerMemoryExceeded()), FailureKind::task_memory);
    EXPECT_EQ(kind(UnregisteredTask("x")), FailureKind::unregistered_task);
    EXPECT_EQ(kind(Cancelled()), FailureKind::cancelled);
    EXPECT_EQ(kind(TimeoutError()), FailureKind::timeout);
    EXPECT_EQ(kind(ShutDown()), FailureKind::shut_down);
    EXPECT_EQ(kind(BrokenPool("x")), FailureKind::broken_pool);
    EXPECT_EQ(kind(InvalidFuture()), FailureKind::no_task);
    EXPECT_EQ(kind(InvalidPool()), FailureKind::no_task);
    EXPECT_EQ(kind(EncodeError("x")), FailureKind::encode);
    EXPECT_EQ(kind(WrongProcess()), FailureKind::wrong_process);
    EXPECT_EQ(kind(WouldWaitForever()), FailureKind::would_block);
    EXPECT_EQ(kind(MultithreadedProgram(2)), FailureKind::bad_option);
    EXPECT_EQ(kind(InvalidOption("x")), FailureKind::bad_option);
    EXPECT_EQ(kind(SystemError(Error{Errc::system, 12, "fork"})), FailureKind::system);
    EXPECT_EQ(kind(std::bad_alloc()), FailureKind::no_memory);
    EXPECT_EQ(Failure(std::make_exception_ptr(42)).type_name(), "int");
}

TEST(Result, OfATask) {
    ProcessPool pool({.workers = 1});
    EXPECT_EQ(pool.submit(twice, 4).try_get().value(), 8);
    EXPECT_TRUE(pool.submit([] {}).try_get());
    auto thrown = pool.submit(fail_at_7, 7).try_get();
    ASSERT_FALSE(thrown);
    EXPECT_EQ(thrown.error().kind(), FailureKind::thrown);
    EXPECT_EQ(thrown.error().type_name(), "std::out_of_range");
    EXPECT_EQ(thrown.error().what(), "std::out_of_range: seven");
    auto died = pool.submit(die_by, SIGKILL).try_get();
    ASSERT_FALSE(died);
    EXPECT_EQ(died.error().kind(), FailureKind::worker_died);
    ASSERT_NE(died.error().death(), nullptr);
    EXPECT_EQ(died.error().death()->status.value, SIGKILL);
    EXPECT_EQ(Future<int>().try_get().error().kind(), FailureKind::no_task);
}

TEST(Result, OfATaskThatTakesLonger) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 200);
    EXPECT_EQ(busy.try_get_for(1ms).error().kind(), FailureKind::timeout);
    EXPECT_TRUE(busy.valid());
    EXPECT_EQ(busy.try_get_for(1h).value(), 200);
    EXPECT_FALSE(busy.valid());
}

TEST(Result, OfWhatAPoolRefuses) {
    EXPECT_EQ(ProcessPool::try_make({.workers = 0}).error().kind(), FailureKind::bad_option);
    auto made = ProcessPool::try_make({.workers = 1});
    ASSERT_TRUE(made);
    ProcessPool pool = std::move(*made);
    EXPECT_EQ(pool.try_submit(twice, 2).value().get(), 4);
    pool.shutdown();
    EXPECT_EQ(pool.try_submit(twice, 2).error().kind(), FailureKind::shut_down);
}

}  // namespace
}  // namespace hardwork::test
