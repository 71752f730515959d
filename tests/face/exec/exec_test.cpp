// A program whose workers are its own binary, started again.
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {

namespace {

using namespace std::chrono_literals;

int set_by_main = 0;
int prepared_with = 0;

int get_set_by_main() { return set_by_main; }
HARDWORK_TASK(get_set_by_main);
int get_prepared_with() { return prepared_with; }
HARDWORK_TASK(get_prepared_with);
void prepare_with_7() { prepared_with = 7; }
HARDWORK_TASK(prepare_with_7);
void prepare_badly() { throw std::runtime_error("no licence"); }
HARDWORK_TASK(prepare_badly);

std::map<std::string, int> count(const std::vector<std::string>& words) {
    std::map<std::string, int> counts;
    for (const std::string& word : words)
        ++counts[word];
    return counts;
}
HARDWORK_TASK(count);
HARDWORK_TASK(twice);
HARDWORK_TASK(nap);
HARDWORK_TASK(worker_pid);
HARDWORK_TASK(die_by);
HARDWORK_TASK(fail_at_7);

std::size_t count_open_over_exec() {
    std::size_t open = 0;
    for (int fd = 3; fd < 1000; ++fd) {
        const int flags = fcntl(fd, F_GETFD);
        open += flags >= 0 && (flags & FD_CLOEXEC) == 0 ? 1 : 0;
    }
    return open;
}
HARDWORK_TASK(count_open_over_exec);

std::span<char> last_filled;
Buffer filled(std::size_t size, char value) {
    Buffer buffer(size);
    last_filled = buffer.as<char>();
    std::ranges::fill(last_filled, value);
    return buffer;
}
HARDWORK_TASK(filled);
void fill_again(char value) { std::ranges::fill(last_filled, value); }
HARDWORK_TASK(fill_again);

HARDWORK_TASK(worker_pid);
void wait_to_be_stopped() {
    while (!this_task::stop_requested())
        std::this_thread::sleep_for(1ms);
    this_task::throw_if_stopped();
}
HARDWORK_TASK(wait_to_be_stopped);
std::vector<char> kept;
void keep(std::size_t bytes) { kept.assign(bytes, 'x'); }
HARDWORK_TASK(keep);

int not_registered(int x) { return x; }

TEST(Exec, RunsRegisteredFunctions) {
    ProcessPool pool({.workers = 2, .start = Start::exec});
    EXPECT_EQ(pool.submit(twice, 21).get(), 42);
    const std::vector<std::string> words{"a", "b", std::string(100'000, 'c'), "a"};
    EXPECT_EQ(pool.submit(count, words).get().at("a"), 2);
    int sum = 0;
    for (const int x : pool.map(twice, range(0, 1000)))
        sum += x;
    EXPECT_EQ(sum, 999'000);
    pool.for_each(twice, std::vector<long>{1, 2, 3});
    EXPECT_EQ(caught<RemoteError>([&] { pool.submit(fail_at_7, 7).get(); }).type_name(), "std::out_of_range");
    EXPECT_THROW(pool.with({.timeout = 20ms, .grace = 0ms}).submit(nap, 600'000).get(), TaskTimeout);
}

TEST(Exec, ABufferIsNotCopiedThereEither) {
    Buffer first;
    {
        ProcessPool pool({.workers = 1, .start = Start::exec});
        first = pool.submit(filled, std::size_t{5} << 20, 3).get();
        pool.submit(fill_again, 4).get();
    }
    EXPECT_EQ(first.size(), std::size_t{5} << 20);
    EXPECT_EQ(first.as<char>().front(), 4);
    EXPECT_EQ(first.as<char>().back(), 4);
}

TEST(Exec, WorkersHaveNothingOfTheProgramButItsCode) {
    set_by_main = 5;
    ProcessPool pool({.workers = 1, .start = Start::exec});
    EXPECT_EQ(pool.submit(get_set_by_main).get(), 0);
    EXPECT_EQ(pool.submit(count_open_over_exec).get(), count_open_over_exec());
}

TEST(Exec, OtherCallablesAreRefusedAtTheCall) {
    ProcessPool pool({.workers = 1, .start = Start::exec});
    EXPECT_THROW(pool.submit(not_registered, 1), UnregisteredTask);
    EXPECT_THROW(pool.submit([] {}), UnregisteredTask);
    const int own = set_by_main;
    EXPECT_THROW(pool.submit([own] { return own; }), UnregisteredTask);
    EXPECT_THROW(pool.map([](int x) { return x; }, range(0, 3)), UnregisteredTask);
    EXPECT_THROW(pool.map(bound([](int x, int y) { return x + y; }, 1), range(0, 3)), UnregisteredTask);
    EXPECT_THROW(pool.transform_reduce(range(0, 3), 0, std::plus<>{}, twice), UnregisteredTask);
    EXPECT_EQ(pool.try_submit(not_registered, 1).error().kind(), FailureKind::unregistered_task);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Exec, AWorkerThatDiesIsReplaced) {
    ProcessPool pool({.workers = 1, .start = Start::exec});
    EXPECT_EQ(caught<WorkerDied>([&] { pool.submit(die_by, SIGKILL).get(); }).signal(), SIGKILL);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Exec, ProgramsMayHaveThreads) {
    std::atomic<bool> stop{false};
    std::thread thread([&] { stop.wait(false); });
    ProcessPool pool({.workers = 1, .start = Start::exec});
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    stop = true;
    stop.notify_all();
    thread.join();
}

TEST(Exec, HooksTellOfBirthsAndDeaths) {
    std::atomic<int> started{0};
    std::atomic<int> signal{0};
    Options options{.workers = 1, .start = Start::exec};
    options.on_worker_start = [&](int) { ++started; };
    options.on_worker_death = [&](const WorkerDeath& death) { signal = death.status.value; };
    ProcessPool pool(std::move(options));
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    pool.shutdown();
    EXPECT_EQ(started, 2);
    EXPECT_EQ(signal, SIGKILL);
}

TEST(Exec, WorkersRetireAtTheirLimits) {
    {
        ProcessPool pool({.workers = 1, .start = Start::exec, .max_tasks_per_worker = 2});
        const int pid = pool.submit(worker_pid).get();
        EXPECT_EQ(pool.submit(worker_pid).get(), pid);
        EXPECT_NE(pool.submit(worker_pid).get(), pid);
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ProcessPool pool({.workers = 1, .start = Start::exec, .max_memory_per_worker = 100'000'000});
    const int pid = pool.submit(worker_pid).get();
    pool.submit(keep, std::size_t{130'000'000}).get();
    EXPECT_NE(pool.submit(worker_pid).get(), pid);
#endif
}

TEST(Exec, TasksCanBeStoppedAndGoneOnFrom) {
    ProcessPool pool({.workers = 1, .start = Start::exec});
    auto running = pool.submit(wait_to_be_stopped);
    while (running.state() == FutureState::waiting)
        std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(running.stop());
    EXPECT_THROW(running.get(), TaskStopped);
    EXPECT_EQ(pool.submit(twice, 4).then([](int x) { return x + 1; }).get(), 9);
    EXPECT_EQ(pool.submit(fail_at_7, 7).then([](Result<int> x) { return x ? 1 : 2; }).get(), 2);
}

// The program's process does not end; its pipe hangs up.
TEST(Exec, WorkersAreGoneWhenTheProgramExecutesAnother) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t program = fork();
    if (program == 0) {
        alarm(100);
        ProcessPool pool({.workers = 1, .start = Start::exec});
        const int pid = pool.submit(worker_pid).get();
        auto busy = pool.submit(nap, 90'000);
        const bool said = write(ends[1], &pid, sizeof pid) == sizeof pid;
        if (said) execl("/bin/sleep", "sleep", "100", nullptr);
        _exit(1);
    }
    int pid = 0;
    ASSERT_EQ(read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    const auto lives = [pid] {
        std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(file, text);
        const auto at = text.rfind(')');
        return at != std::string::npos &&
               text.find_first_of("ZX", at) != at + 2;  // what it has become does not reap it
    };
    while (lives())  // ctest ends what hangs
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(waitpid(program, nullptr, WNOHANG), 0);
    kill(program, SIGKILL);
    waitpid(program, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(Exec, InitializersAreRegisteredFunctions) {
    {
        ProcessPool pool({.workers = 1, .start = Start::exec, .initializer = prepare_with_7});
        EXPECT_EQ(pool.submit(get_prepared_with).get(), 7);
    }
    EXPECT_THROW(ProcessPool({.workers = 1, .start = Start::exec, .initializer = [] {}}), InvalidOption);
    ProcessPool pool({.workers = 1, .start = Start::exec, .initializer = prepare_badly});
    EXPECT_EQ(caught<BrokenPool>([&] { pool.submit(twice, 1).get(); }).cause_message(), "no licence");
}

}  // namespace
}  // namespace hardwork::test

int main(int argc, char** argv) {
    hardwork::enter_worker(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
