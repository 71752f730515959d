// What a worker writes into its lane, read by the real engine. The "worker" is this program: it maps the lane and writes
// what the input says, records and status words alike; a process that only sleeps stands in for its life, so that the
// engine can kill it for what it wrote and ask for another.
//
// Whatever is written: no memory error (sanitizers), no hang, and every task ends as soon as its worker is gone. And no
// task or item is claimed and run a second time, unless the input has stored something else than records: a claim word that
// a worker sets back, or a phase that it never was in, may hide from everybody what it has run.
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "hardwork/engine.hpp"
#include "os/process.hpp"
#include "shm/lane.hpp"

namespace {

using namespace hardwork;

constexpr std::uint64_t kPatienceNs = 20'000'000'000;

// What has been run, by the numbers of tasks and items, in this input.
std::map<std::uint64_t, int> runs;
constexpr std::uint64_t kItem = std::uint64_t{1} << 63;
bool stored = false;  // something that no worker stores

// The lane of the worker that lives now.
std::mutex lock;
std::optional<shm::Lane> lane;
std::int32_t sleeper = 0;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

class Source final : public WorkerSource {
  public:
    bool uses_template() const override { return false; }
    int start_template(int, std::int32_t&) override { return ENOSYS; }
    int start_worker(const WorkerSetup& setup, std::int32_t& pid) override {
        auto mapped = shm::Lane::attach(setup.lane_fd);
        if (!mapped) return EIO;
        pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
        if (pid < 0) return errno;
        const std::lock_guard hold(lock);
        lane.emplace(mapped.take());
        sleeper = pid;
        return 0;
    }
};

class NoEvents final : public EngineEvents {
  public:
    void on_done(std::span<void* const>) override {}
};

// Reads the input from the front; zeros when it is used up.
class Script {
  public:
    Script(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
    bool any() const { return left_ != 0; }
    template <class T>
    T next() {
        T value{};
        const std::size_t size = sizeof value < left_ ? sizeof value : left_;
        std::memcpy(&value, data_, size);
        data_ += size;
        left_ -= size;
        return value;
    }

  private:
    const std::uint8_t* data_;
    std::size_t left_;
};

// The worker's hand: what it has published so far.
class Hand {
  public:
    explicit Hand(shm::Lane& mapped) : lane_(mapped), control_(mapped.control()) {}

    void append(const shm::Record& record, std::uint64_t payload) {
        const std::uint64_t tail = control_.worker.result_tail.load();
        const std::size_t header = shm::header_size(record.kind);
        std::memcpy(lane_.result(tail), &record, header);
        std::memcpy(lane_.result(tail) + header, &payload, sizeof payload);
        const std::uint32_t length = record.length % (shm::kMaxInlineResult + 1);
        control_.worker.result_tail.store(tail + shm::record_size(record.kind, length));
    }
    shm::Record record(shm::RecordKind kind) const {
        shm::Record made{};
        made.kind = kind;
        made.generation = static_cast<std::uint8_t>(control_.info.generation);
        return made;
    }
    // As a worker answers the request at a position: a good record, but for what the input changes of it.
    void answer(Script& input) {
        const std::uint8_t position = input.next<std::uint8_t>();
        shm::Request& request = lane_.request(position % 16);
        const bool task = request.kind == shm::RequestKind::task;
        shm::Record made = record(task ? shm::RecordKind::task : shm::RecordKind::item);
        made.task = request.task;
        made.index = shm::cursor_next(request.claim.load());
        made.length = 8;
        const std::uint8_t change = input.next<std::uint8_t>();
        if ((change & 1) != 0) made.length = input.next<std::uint16_t>();
        if ((change & 2) != 0) made.outcome = input.next<std::uint8_t>();
        if ((change & 4) != 0) made.index = input.next<std::uint8_t>();
        if ((change & 8) != 0) made.in_arena = input.next<std::uint8_t>();
        if ((change & 16) != 0) made.task = input.next<std::uint32_t>();
        if ((change & 64) != 0) made.kind = shm::RecordKind::next_item;
        if (made.in_arena == 1) made.length = sizeof(shm::Extent);
        if ((change & 32) == 0) run(request, position % 16, task);
        append(made, input.next<std::uint64_t>());
        control_.worker.phase.store(static_cast<std::uint32_t>(Phase::idle));
    }
    // As a worker does: a phase that says where it is, before and after the claim.
    void run(shm::Request& request, std::uint32_t position, bool task) {
        if (position >= control_.parent.request_tail.load()) return;
        control_.worker.position.store(position);
        control_.worker.phase.store(static_cast<std::uint32_t>(Phase::claim));
        std::uint32_t item = 0;
        const bool claimed =
            task ? shm::claim_task(request.claim, shm::kClaimed) : shm::claim_item(request.claim, item);
        if (!claimed) return;
        control_.worker.phase.store(static_cast<std::uint32_t>(Phase::run));
        // The engine may have killed its worker meanwhile, and have buried it before this was claimed: a process that is
        // dead claims nothing, and runs nothing.
        const auto life = os::open_pidfd(sleeper);
        if (!life || os::has_ended(life.value())) return;
        // The map has one chunk: the place of an item there says which it is.
        require(++runs[task ? request.task : kItem | item] == 1 || stored, "a task or an item was run twice");
    }
    void store(Script& input) {
        stored = true;
        switch (input.next<std::uint8_t>() % 8) {
            case 0: control_.worker.request_head.store(input.next<std::uint32_t>()); break;
            case 1: control_.worker.phase.store(input.next<std::uint32_t>()); break;
            case 2: control_.worker.result_tail.store(input.next<std::uint64_t>()); break;
            case 3: control_.worker.position.store(input.next<std::uint32_t>()); break;
            case 4: control_.worker.begun.store(input.next<std::uint64_t>()); break;
            case 5: control_.bells.sleeping.store(input.next<std::uint32_t>()); break;
            case 6: control_.bells.blocked.store(input.next<std::uint32_t>()); break;
            default: lane_.request(input.next<std::uint8_t>() % 16).claim.store(input.next<std::uint64_t>());
        }
    }
    void advance() { control_.worker.request_head.fetch_add(1); }
    // Claims one thing, and does not answer: as a worker that is in a task.
    void claim(Script& input) {
        const std::uint32_t position = input.next<std::uint8_t>() % 16;
        shm::Request& request = lane_.request(position);
        run(request, position, request.kind == shm::RequestKind::task);
    }

  private:
    shm::Lane& lane_;
    shm::Control& control_;
};

struct Pool {
    std::shared_ptr<Engine> engine;
    std::uint32_t function = 0;

    Pool() {
        EngineOptions options;
        const Error error = Engine::create(options, std::make_shared<Source>(), std::make_shared<NoEvents>(), engine);
        require(error.code == Errc::ok, error.what);
        const std::byte code{1};
        function = engine->define({&code, 1});
    }

    Input input(std::uint64_t length) const {
        Input made;
        require(engine->allocate(length, made), "no memory for an input");
        std::memset(made.data, 5, length);
        return made;
    }
    // Fewer where the pool has just been broken: by the end of the last input's worker, which is known a moment later.
    std::vector<Task*> submit_some() const {
        std::vector<Task*> tasks;
        const std::uint32_t limits = engine->limits({1'000'000, 1'000'000, 0});
        for (std::uint64_t length : {0U, 8U, 100U}) {
            Error why;
            Input made = input(length);
            Task* task = engine->submit(function, made, length == 8 ? limits : 0, why);
            require(task != nullptr || why.code == Errc::broken, why.what);
            if (task == nullptr) {
                engine->discard(made);
                break;
            }
            tasks.push_back(task);
        }
        engine->release_limits(limits);
        return tasks;
    }
    // nullptr likewise.
    Job* map_some() const {
        Error why;
        Job* job = engine->start_job(function, {}, why);
        require(job != nullptr || why.code == Errc::broken, why.what);
        if (job == nullptr) return nullptr;
        Input made = input(64);
        engine->add_span(job, made, 6);
        engine->seal(job);
        return job;
    }
    void read(Job* job) const {
        ResultBlock block;
        TaskResult result;
        while (engine->next_block(job, block) == JobState::block) {
            while (block.next(result)) {
                std::uint64_t sum = 0;
                for (const std::byte each : result.bytes)
                    sum += static_cast<std::uint64_t>(each);
                require(sum != ~std::uint64_t{0}, "never");
            }
        }
    }
};

// Several lives in a row that came to nothing break a pool, as they should.
bool broken(const Engine& engine) { return engine.closed() == Errc::broken; }

void say_ready(const Engine& engine) {
    const std::uint64_t begin = monotonic_ns();
    for (;;) {
        {
            const std::lock_guard hold(lock);
            if (lane && lane->control().worker.result_tail.load() == 0) {
                Hand hand(*lane);
                hand.append(hand.record(shm::RecordKind::ready), 0);
            }
            if (lane && kill(sleeper, 0) == 0) return;
        }
        if (broken(engine)) return;
        require(monotonic_ns() - begin < kPatienceNs, "no worker was born");
        usleep(500);
    }
}

// The worker dies here, and the rest of the input is the next one's.
void die(Engine& engine) {
    std::int32_t before = 0;
    {
        const std::lock_guard hold(lock);
        before = sleeper;
        kill(before, SIGKILL);
    }
    const std::uint64_t begin = monotonic_ns();
    for (bool born = false; !born && !broken(engine);) {
        usleep(200);
        engine.poll();
        require(monotonic_ns() - begin < kPatienceNs, "no worker was born again");
        const std::lock_guard hold(lock);
        born = sleeper != before;
    }
    say_ready(engine);
    engine.poll();
}

void release(Engine& engine, const std::vector<Task*>& tasks) {
    for (Task* task : tasks) {
        require(engine.is_done(task), "a task is not done");
        engine.release(task);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::optional<Pool> made;
    if (made && broken(*made->engine)) {
        made->engine->begin_shutdown(Shutdown::terminate);
        made->engine->wait_stopped(~std::uint64_t{0});
        made.reset();
    }
    if (!made) made.emplace();
    const Pool& pool = *made;
    runs.clear();
    stored = false;
    Engine& engine = *pool.engine;
    say_ready(engine);
    engine.poll();
    std::vector<Task*> tasks = pool.submit_some();
    Job* job = pool.map_some();
    if (job == nullptr) {
        release(engine, tasks);
        return 0;
    }
    Script input(data, size);
    while (input.any()) {
        const unsigned step = input.next<std::uint8_t>() % 10U;
        if (step == 9) {
            die(engine);
            continue;
        }
        const std::lock_guard hold(lock);
        Hand hand(*lane);
        switch (step) {
            case 0: hand.append(input.next<shm::Record>(), input.next<std::uint64_t>()); break;
            case 1:
            case 2:
            case 3: hand.answer(input); break;
            case 4: hand.store(input); break;
            case 5: hand.advance(); break;
            case 6: engine.poll(); break;
            case 8: hand.claim(input); break;
            default: engine.cancel(tasks[input.next<std::uint8_t>() % tasks.size()]);
        }
    }
    engine.poll();
    pool.read(job);
    engine.cancel_rest(job);
    // What it has claimed ends with it, or goes to the next, from which it can be taken.
    const std::uint64_t begin = monotonic_ns();
    for (;;) {
        for (Task* task : tasks)
            engine.cancel(task);
        if (engine.outstanding() == 0) break;
        {
            const std::lock_guard hold(lock);
            if (sleeper != 0) kill(sleeper, SIGKILL);
        }
        usleep(200);
        say_ready(engine);
        if (monotonic_ns() - begin > kPatienceNs) {
            const PoolStats stats = engine.stats();
            std::fprintf(stderr, "%lu outstanding of %lu; %lu workers alive of %lu born, %lu retired; closed %d\n",
                         engine.outstanding(), stats.submitted, stats.workers_alive, stats.workers_born,
                         stats.workers_retired, static_cast<int>(engine.closed()));
            require(false, "a task has not ended");
        }
    }
    release(engine, tasks);
    pool.read(job);
    engine.release_job(job);
    return 0;
}
