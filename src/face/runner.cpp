#include "face/runner.hpp"

#include <cstring>
#include <new>

#include "face/exec_source.hpp"
#include "face/failures.hpp"
#include "face/stopping.hpp"
#include "face/throw_stack.hpp"

namespace hardwork::face {

bool CallRunner::initialize(Output& out) {
    if (!initializer_) return true;
    try {
        initializer_();
        return true;
    } catch (...) {
        encode_exception(out);
        return false;
    }
}

void CallRunner::define(std::uint32_t function, std::span<const std::byte> code) {
    detail::Code known;
    if (code.size() < sizeof known) return;  // each task that uses it says that it never arrived
    std::memcpy(&known, code.data(), sizeof known);
    if (code_ == CodeIs::in_file) known = code_in_memory(known);
    const auto state = code.subspan(sizeof known);
    try {
        if (function >= functions_.size()) functions_.resize(function + 1);
        functions_[function] = {known, {state.begin(), state.end()}, nullptr};
    } catch (const std::bad_alloc&) {
        return;
    }
}

detail::Callee CallRunner::callee_of(Function& function) {
    if (function.code.revive != nullptr && function.object == nullptr) {
        function.object = function.code.revive(function.state);
        function.state = {};
    }
    return {function.code.target, function.object.get()};
}

Outcome CallRunner::run(const Invocation& call, PhaseMark& phase, Output& out) {
    begin_task();
    phase.enter(Phase::decode);
    try {
        if (call.unreadable) throw std::bad_alloc();
        if (call.function >= functions_.size() || functions_[call.function].code.trampoline == nullptr) {
            throw PoolError("the function never arrived in this worker");
        }
        Function& function = functions_[call.function];
        function.code.trampoline(callee_of(function), call, phase, out);
        return Outcome::value;
    } catch (const ThrowPoint&) {
        __builtin_unreachable();
    } catch (...) {
        phase.enter(Phase::encode);
        return encode_exception(out);
    }
}

}  // namespace hardwork::face
