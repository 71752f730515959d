#include "face/runner.hpp"

#include <cstring>
#include <new>

#include "face/failures.hpp"

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
    if (code.size() != sizeof known) return;  // each task that uses it says that it never arrived
    try {
        if (function >= functions_.size()) functions_.resize(function + 1);
    } catch (const std::bad_alloc&) {
        return;
    }
    std::memcpy(&known, code.data(), sizeof known);
    functions_[function] = known;
}

Outcome CallRunner::run(const Invocation& call, PhaseMark& phase, Output& out) {
    phase.enter(Phase::decode);
    try {
        if (call.unreadable) throw std::bad_alloc();
        if (call.function >= functions_.size() || functions_[call.function].trampoline == nullptr) {
            throw PoolError("the function never arrived in this worker");
        }
        const detail::Code& code = functions_[call.function];
        code.trampoline(code.target, call, phase, out);
        return Outcome::value;
    } catch (...) {
        phase.enter(Phase::encode);
        return encode_exception(out);
    }
}

}  // namespace hardwork::face
