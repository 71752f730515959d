// The one table of the C++ face: what the engine says, as exceptions; and a task's exception, as bytes.
#pragma once

#include "hardwork/engine.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::face {

// What a call on the engine came back with. engine may be null; it knows why a pool broke.
[[noreturn]] void throw_error(const Error& error, const Engine* engine);

// What a task or an item ended with, if not with a value.
[[noreturn]] void throw_ending(const TaskResult& result, const Engine& engine);

// In a handler: writes the exception that is being handled. Always an outcome, even without memory.
Outcome encode_exception(Output& out) noexcept;

}  // namespace hardwork::face
