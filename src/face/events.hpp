// What the engine tells the C++ face: that a watched task is done, that a worker has begun or ended.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "hardwork/engine.hpp"

namespace hardwork::face {

struct Hooks {
    std::function<void(std::int32_t pid)> on_worker_start;
    std::function<void(const WorkerDeath& death)> on_worker_death;
};

std::shared_ptr<EngineEvents> make_events(Hooks hooks);

// Whether the caller is in a callback that an engine's own thread runs: it must not wait for that engine's end.
bool on_an_engine_thread();

}  // namespace hardwork::face
