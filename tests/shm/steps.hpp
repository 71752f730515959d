// The steps of the models, by the names that they have in the code: steps_test.cpp looks whether they still do.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hardwork::shm::testing {

//  name in the models    what stands for it in the code          file
#define HARDWORK_MODEL_STEPS(X)                                                           \
    X(request_write, "request->kind = shm::RequestKind::task", "src/engine/dispatch.cpp") \
    X(request_tail_store, "request_tail.store(", "src/engine/dispatch.cpp")               \
    X(request_tail_load, "request_tail.load(", "src/worker/claim_loop.cpp")               \
    X(request_head_store, "request_head.store(", "src/worker/claim_loop.cpp")             \
    X(request_head_load, "request_head.load(", "src/engine/drain.cpp")                    \
    X(record_write, "std::memcpy(at, &words", "src/worker/publisher.cpp")                 \
    X(record_read, "std::memcpy(&record, at, ", "src/engine/drain.cpp")                   \
    X(result_tail_store, "result_tail.store(", "src/worker/publisher.cpp")                \
    X(result_tail_load, "result_tail.load(", "src/engine/drain.cpp")                      \
    X(result_head_store, "result_head.store(", "src/engine/drain.cpp")                    \
    X(result_head_load, "result_head.load(", "src/worker/publisher.cpp")                  \
    X(pass_requests, "pass_requests(", "src/engine/drain.cpp")                            \
    X(full_fence, "full_fence(", "src/base/atomic.hpp")                                   \
    X(sleeping_store, "sleeping.store(", "src/worker/claim_loop.cpp")                     \
    X(sleeping_load, "sleeping.load(", "src/engine/dispatch.cpp")                         \
    X(work_bell_load, "work_bell.load(", "src/worker/claim_loop.cpp")                     \
    X(work_bell_fetch_add, "work_bell.fetch_add(", "src/engine/dispatch.cpp")             \
    X(add_want, "add_want(", "src/engine/waiting.cpp")                                    \
    X(drop_want, "drop_want(", "src/engine/waiting.cpp")                                  \
    X(want_load, "want.load(", "src/worker/publisher.hpp")                                \
    X(caller_bell_fetch_add, "caller_bell.fetch_add(", "src/worker/publisher.cpp")        \
    X(collector_bell_fetch_add, "collector_bell.fetch_add(", "src/worker/publisher.cpp")  \
    X(futex_wait, "futex_wait", "src/os/futex.hpp")                                       \
    X(futex_wake, "futex_wake", "src/os/futex.hpp")                                       \
    X(enter_claim, "enter(Phase::claim)", "src/worker/claim_loop.cpp")                    \
    X(claim_task, "claim_task(", "src/shm/request.hpp")                                   \
    X(claim_item, "claim_item(", "src/shm/request.hpp")                                   \
    X(take_tail, "take_tail(", "src/shm/request.hpp")                                     \
    X(take_back_task, "take_back_task(", "src/engine/take_back.cpp")                      \
    X(enter_decode, "Phase::decode", "src/engine/burial.cpp")                             \
    X(run, "runner_.run(", "src/worker/claim_loop.cpp")                                   \
    X(enter_publish, "enter(Phase::publish)", "src/worker/claim_loop.cpp")                \
    X(publish, "Publisher::publish(", "src/worker/publisher.cpp")                         \
    X(drain_lane, "drain_lane(", "src/engine/drain.cpp")                                  \
    X(refuse, "EngineCore::refuse(", "src/engine/drain.cpp")                              \
    X(bury, "EngineCore::bury(", "src/engine/burial.cpp")                                 \
    X(bury_span, "EngineCore::bury_span(", "src/engine/burial.cpp")                       \
    X(look, "", "") /* of what is broken on purpose: looking, and storing later */        \
    X(late_claim, "", "")                                                                 \
    X(late_take, "", "")                                                                  \
    X(over, "", "")

enum class Step : std::uint8_t {
#define HARDWORK_ONE(name, text, file) name,
    HARDWORK_MODEL_STEPS(HARDWORK_ONE)
#undef HARDWORK_ONE
};

struct StepText {
    std::string_view name;
    std::string_view text;
    std::string_view file;
};

inline constexpr std::array kStepTexts{
#define HARDWORK_ONE(name, text, file) StepText{#name, text, file},
    HARDWORK_MODEL_STEPS(HARDWORK_ONE)
#undef HARDWORK_ONE
};

}  // namespace hardwork::shm::testing
