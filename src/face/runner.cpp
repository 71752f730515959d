#include "face/runner.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

namespace hardwork {

namespace {

std::string current_type_name() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr) return "an exception";
    int status = 0;
    char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    std::string name = readable != nullptr ? readable : type->name();
    std::free(readable);
    return name;
}

// In a catch block: the exception as type name and text.
void describe_current(EncodedBytes& bytes) {
    bytes.clear();
    std::string message;
    try {
        throw;
    } catch (const std::exception& error) {
        message = error.what();
    } catch (...) {
        // Its type says all there is to say.
    }
    Codec<std::string>::write(current_type_name(), bytes);
    Codec<std::string>::write(message, bytes);
}

}  // namespace

bool FunctionRunner::give(Output& out) {
    std::byte* to = out.allocate(bytes_.size());
    if (to == nullptr) return false;
    if (!bytes_.empty()) std::memcpy(to, bytes_.data(), bytes_.size());
    out.finish(bytes_.size());
    return true;
}

bool FunctionRunner::initialize(Output& out) {
    if (!initializer_) return true;
    try {
        initializer_();
        return true;
    } catch (...) {
        describe_current(bytes_);
        give(out);
        return false;
    }
}

void FunctionRunner::define(std::uint32_t function, std::span<const std::byte> code) {
    if (function >= functions_.size()) functions_.resize(function + 1);
    if (code.size() == sizeof(detail::FunctionCode)) std::memcpy(&functions_[function], code.data(), code.size());
}

void FunctionRunner::call(const Invocation& call, PhaseMark& phase) {
    if (call.unreadable) throw std::bad_alloc();
    if (call.function >= functions_.size() || functions_[call.function].task == nullptr) {
        throw CodecError("hardwork: the function never arrived");
    }
    const detail::FunctionCode& code = functions_[call.function];
    phase.enter(Phase::run);
    Reader in(call.payload);
    if (!call.is_item) {
        code.task(code.target, in, bytes_);
        return;
    }
    const auto header = Codec<ItemsHeader>::read(in);
    if (header.count == 0) {
        auto span = Codec<detail::IntegerSpan>::read(in);
        span.index = call.index;
        Reader integer(std::as_bytes(std::span(&span, 1)));
        code.item(code.target, integer, bytes_);
        return;
    }
    const std::size_t table = sizeof header + header.count * sizeof(std::uint64_t);
    if (call.index >= header.count || table > call.payload.size()) throw CodecError("hardwork: a damaged span");
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    const std::byte* ends = call.payload.data() + sizeof header;
    if (call.index > 0) std::memcpy(&begin, ends + (call.index - 1) * sizeof begin, sizeof begin);
    std::memcpy(&end, ends + call.index * sizeof end, sizeof end);
    if (begin > end || end > call.payload.size() - table) throw CodecError("hardwork: a damaged span");
    Reader item(call.payload.subspan(table + begin, end - begin));
    code.task(code.target, item, bytes_);
}

Outcome FunctionRunner::run(const Invocation& call, PhaseMark& phase, Output& out) {
    phase.enter(Phase::decode);
    Outcome outcome = Outcome::value;
    bytes_.clear();
    try {
        this->call(call, phase);
        phase.enter(Phase::encode);
        if (give(out)) return outcome;
        throw std::bad_alloc();
    } catch (...) {
        outcome = Outcome::exception;
        describe_current(bytes_);
    }
    phase.enter(Phase::encode);
    give(out);
    return outcome;
}

}  // namespace hardwork
