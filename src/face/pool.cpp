// ProcessPool without its templates: the template process forked from this program, functions by address.
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include "face/runner.hpp"
#include "hardwork/process_pool.hpp"
#include "os/process.hpp"
#include "os/signal.hpp"
#include "os/threads.hpp"

namespace hardwork {

namespace {

class ForkHooks final : public TemplateHooks {
  public:
    explicit ForkHooks(const std::function<void()>& initializer) : initializer_(initializer) {}
    std::int32_t fork_worker() override {
        auto pid = os::fork_process();
        return pid ? pid.value() : -1;
    }
    int worker_main(const WorkerSetup& setup) override {
        FunctionRunner runner(initializer_);
        const int code = run_worker(setup, runner);
        std::fflush(nullptr);  // what tasks printed
        return code;
    }

  private:
    const std::function<void()>& initializer_;
};

class ForkSource final : public WorkerSource {
  public:
    explicit ForkSource(std::function<void()> initializer) : initializer_(std::move(initializer)) {}
    bool uses_template() const override { return true; }
    int start_template(int channel_fd, std::int32_t& pid) override {
        std::fflush(nullptr);  // or each worker would print what is buffered now
        auto forked = os::fork_process();
        if (!forked) return forked.error().sys_errno;
        pid = forked.value();
        if (pid != 0) return 0;
        ForkHooks hooks(initializer_);
        os::exit_now(serve_template(channel_fd, hooks));
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return -1; }  // never: it uses a template

  private:
    std::function<void()> initializer_;
};

class NoEvents final : public EngineEvents {
  public:
    void on_done(std::span<void* const>) override {}
};

[[noreturn]] void raise(const Error& error, Engine* engine) {
    switch (error.code) {
        case Errc::shut_down: throw std::logic_error("hardwork: the pool was shut down");
        case Errc::forked: throw std::logic_error(std::string("hardwork: ") + error.what);
        case Errc::invalid_argument: throw std::invalid_argument(std::string("hardwork: ") + error.what);
        case Errc::out_of_memory: throw std::bad_alloc();
        case Errc::broken: {
            TaskResult broken;
            broken.ending = Ending::broken;
            if (engine != nullptr) detail::throw_unless_value(*engine, broken);
            throw BrokenPool("hardwork: the pool is broken");
        }
        default: break;
    }
    throw std::system_error(error.sys_errno, std::generic_category(), std::string("hardwork: ") + error.what);
}

}  // namespace

namespace detail {

struct PoolCore::Functions {
    std::mutex lock;
    std::map<const void*, std::uint32_t> numbers;  // by address of trampoline's target
};

PoolCore::PoolCore(const Options& options) : functions_(std::make_shared<Functions>()) {
    if (options.workers != kAllCpus && options.workers < 1) {
        throw std::invalid_argument("hardwork: workers is " + std::to_string(options.workers) +
                                    "; it must be 1 to 1024, or kAllCpus");
    }
    if (const int foreign = os::foreign_threads(); foreign > 0) {
        throw std::logic_error("hardwork: this process has " + std::to_string(foreign) +
                               " other threads, whose locks would stay held in every worker: make the pool before "
                               "threads are started");
    }
    EngineOptions engine_options;
    engine_options.workers = options.workers == kAllCpus ? usable_cpus() : options.workers;
    engine_options.max_tasks_per_worker = options.max_tasks_per_worker;
    const Error error = Engine::create(engine_options, std::make_shared<ForkSource>(options.initializer),
                                       std::make_shared<NoEvents>(), engine_);
    if (error.code != Errc::ok) raise(error, nullptr);
}

std::uint32_t PoolCore::number_of(const FunctionCode& code) {
    const std::lock_guard hold(functions_->lock);
    const auto found = functions_->numbers.find(code.target);
    if (found != functions_->numbers.end()) return found->second;
    const std::uint32_t number = engine_->define(std::as_bytes(std::span(&code, 1)));
    if (number == 0) throw std::bad_alloc();
    functions_->numbers.emplace(code.target, number);
    return number;
}

TaskHandle PoolCore::submit(std::uint32_t function, const EncodedBytes& arguments) {
    Input input;
    Error why{engine_->closed(), 0, "submit"};
    if (why.code != Errc::ok) raise(why, engine_.get());
    if (!engine_->allocate(arguments.size(), input)) throw std::bad_alloc();
    if (!arguments.empty()) std::memcpy(input.data, arguments.data(), arguments.size());
    Task* task = engine_->submit(function, input, why);
    if (task == nullptr) {
        engine_->discard(input);
        raise(why, engine_.get());
    }
    return TaskHandle(engine_, task);
}

Job* PoolCore::start_job(std::uint32_t function) {
    Error why;
    Job* job = engine_->start_job(function, why);
    if (job == nullptr) raise(why, engine_.get());
    return job;
}

void PoolCore::add_integers(Job* job, std::int64_t start, std::uint64_t count) {
    constexpr std::uint64_t most = std::uint64_t{1} << 31;  // item numbers within a span have 32 bits
    while (count != 0) {
        const auto part = static_cast<std::uint32_t>(count < most ? count : most);
        EncodedBytes bytes;
        Codec<ItemsHeader>::write({0}, bytes);
        Codec<IntegerSpan>::write({start, 0}, bytes);
        Input input;
        if (!engine_->allocate(bytes.size(), input)) throw std::bad_alloc();
        std::memcpy(input.data, bytes.data(), bytes.size());
        engine_->add_span(job, input, part);
        start += part;
        count -= part;
    }
}

void PoolCore::add_items(Job* job, const std::vector<std::uint64_t>& ends, const EncodedBytes& items) {
    const ItemsHeader header{ends.size()};
    const std::size_t table = ends.size() * sizeof(std::uint64_t);
    Input input;
    if (!engine_->allocate(sizeof header + table + items.size(), input)) throw std::bad_alloc();
    std::memcpy(input.data, &header, sizeof header);
    std::memcpy(input.data + sizeof header, ends.data(), table);
    if (!items.empty()) std::memcpy(input.data + sizeof header + table, items.data(), items.size());
    engine_->add_span(job, input, static_cast<std::uint32_t>(ends.size()));
}

JobHandle PoolCore::seal(Job* job) {
    engine_->seal(job);
    return JobHandle(engine_, job);
}

void PoolCore::shutdown(bool wait, bool cancel) {
    if (!engine_->in_owner_process()) return;
    engine_->begin_shutdown(cancel);
    while (wait && engine_->wait_stopped(~std::uint64_t{0}) != WaitEnd::done) {
    }
}

std::vector<std::int32_t> PoolCore::pids() {
    std::vector<std::int32_t> pids;
    for (const WorkerView& worker : engine_->workers()) {
        if (worker.pid != 0) pids.push_back(worker.pid);
    }
    return pids;
}

}  // namespace detail

}  // namespace hardwork
