#include "face/failures.hpp"

#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "face/exception_types.hpp"
#include "face/throw_stack.hpp"
#include "hardwork/codec.hpp"
#include "hardwork/detail/attempt.hpp"
#include "os/codes.hpp"

namespace hardwork::face {

namespace {

// Nobody nests exceptions deeper than this on purpose.
constexpr std::size_t kMostLevels = 16;

// One exception of a chain in which each has the next one nested in it.
struct Thrown {
    std::string name;     // its type, as the compiler names it
    std::string type;     // the same, readable
    std::string message;  // its what()
    bool registered = false;
    std::vector<std::byte> bytes;    // the exception itself, if it is registered
    std::vector<std::string> stack;  // of the outermost, if it is not
};

}  // namespace

}  // namespace hardwork::face

namespace hardwork {

template <>
struct Codec<face::Thrown> {
    static void encode(auto& out, const face::Thrown& thrown) {
        hardwork::encode(out, thrown.name);
        hardwork::encode(out, thrown.type);
        hardwork::encode(out, thrown.message);
        hardwork::encode(out, thrown.registered);
        hardwork::encode(out, thrown.bytes);
        hardwork::encode(out, thrown.stack);
    }
    static face::Thrown decode(Decoder& in) {
        face::Thrown thrown;
        thrown.name = hardwork::decode<std::string>(in);
        thrown.type = hardwork::decode<std::string>(in);
        thrown.message = hardwork::decode<std::string>(in);
        thrown.registered = hardwork::decode<bool>(in);
        thrown.bytes = hardwork::decode<std::vector<std::byte>>(in);
        thrown.stack = hardwork::decode<std::vector<std::string>>(in);
        return thrown;
    }
};

}  // namespace hardwork

namespace hardwork::face {

namespace {

// The outermost first. Empty bytes: the worker had no memory to say what it was.
std::vector<Thrown> decode_chain(std::span<const std::byte> bytes) {
    std::vector<Thrown> chain;
    if (bytes.empty()) {
        chain.push_back(
            {typeid(std::bad_alloc).name(), "std::bad_alloc", "no memory was left to say more", true, {}, {}});
        return chain;
    }
    Decoder in(bytes);
    chain = decode<std::vector<Thrown>>(in);
    in.expect_end();
    if (chain.empty()) throw DecodeError("an exception that is none");
    return chain;
}

// What is nested in an exception, or nullptr.
std::exception_ptr nested_in(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::nested_exception& outer) {
        return outer.nested_ptr();
    } catch (...) {
        return nullptr;
    }
}

void keep_registered(Thrown& one, const std::exception_ptr& thrown) {
    const detail::ExceptionType* known = find_exception_type(one.name);
    if (known == nullptr) return;
    BufferWriter out;
    // A Codec that fails must not hide the exception: it comes back as any other then.
    const std::exception_ptr failure = detail::attempt([&] { one.registered = known->encode(thrown, out); });
    if (failure != nullptr || !one.registered) {
        one.registered = false;
        return;
    }
    one.bytes.assign(out.bytes().begin(), out.bytes().end());
}

std::vector<Thrown> chain_of(std::exception_ptr thrown) {
    std::vector<Thrown> chain;
    for (; thrown != nullptr && chain.size() < kMostLevels; thrown = nested_in(thrown)) {
        Thrown one;
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            one.name = thrown_type();
            one.message = error.what();
        } catch (...) {
            one.name = thrown_type();
        }
        one.type = readable(one.name);
        keep_registered(one, thrown);
        chain.push_back(std::move(one));
    }
    return chain;
}

Outcome write_chain(const std::vector<Thrown>& chain, Output& out) {
    SizeCounter counter;
    encode(counter, chain);
    std::byte* memory = out.allocate(counter.size());
    if (memory == nullptr) throw std::bad_alloc();
    MemoryWriter writer({memory, counter.size()});
    encode(writer, chain);
    out.finish(counter.size());
    return Outcome::exception;
}

// Throws the exception at `at`, with `cause` nested in it.
[[noreturn]] void raise_one(const std::vector<Thrown>& chain, std::size_t at, const std::exception_ptr& cause) {
    const Thrown& one = chain[at];
    if (one.registered) {
        if (const detail::ExceptionType* known = find_exception_type(one.name)) {
            Decoder in(one.bytes);
            known->raise(in, cause);
        }
    }
    std::vector<RemoteError::Cause> causes;
    for (std::size_t i = at + 1; i < chain.size(); ++i)
        causes.push_back({chain[i].type, chain[i].message});
    RemoteError error(one.type, one.message, std::move(causes), one.stack);
    if (cause == nullptr) throw error;
    try {
        std::rethrow_exception(cause);
    } catch (...) {
        std::throw_with_nested(std::move(error));
    }
}

[[noreturn]] void raise(const std::vector<Thrown>& chain) {
    std::exception_ptr cause;
    for (std::size_t at = chain.size() - 1; at > 0; --at)
        cause = detail::attempt([&] { raise_one(chain, at, cause); });
    raise_one(chain, 0, cause);
}

[[noreturn]] void throw_broken(const Engine* engine) {
    const BrokenCause cause = engine != nullptr ? engine->broken_cause() : BrokenCause{};
    switch (cause.kind) {
        case BrokenCause::Kind::unknown:
            throw BrokenPool("the pool is broken: its workers cannot be born, or die before they can work");
        case BrokenCause::Kind::death: throw BrokenPool(cause.death);
        case BrokenCause::Kind::error:
            // As Seed::start_template says it.
            if (cause.error.sys_errno == os::kCanceled) {
                throw BrokenPool(
                    "the pool is broken: its template process was killed, and so was the one of which another could "
                    "have been forked");
            }
            throw BrokenPool(cause.error);
        case BrokenCause::Kind::exception: break;
    }
    Thrown thrown = std::move(decode_chain(cause.exception).front());
    const std::string what =
        "the pool is broken: its initializer threw " + std::string(RemoteError(thrown.type, thrown.message).what());
    throw BrokenPool(what, std::move(thrown.type), std::move(thrown.message));
}

}  // namespace

void throw_error(const Error& error, const Engine* engine) {
    switch (error.code) {
        case Errc::shut_down: throw ShutDown();
        case Errc::broken: throw_broken(engine);
        case Errc::forked: throw WrongProcess();
        case Errc::out_of_memory: throw std::bad_alloc();
        case Errc::invalid_argument: throw InvalidOption(std::string("hardwork: ") + error.what);
        case Errc::ok:
        case Errc::system:
        case Errc::unsupported: break;
    }
    throw SystemError(error);
}

void throw_ending(const TaskResult& result, const Engine& engine) {
    switch (result.ending) {
        case Ending::exception: raise(decode_chain(result.bytes));
        case Ending::timed_out: throw TaskTimeout(result.death);
        case Ending::stopped: throw TaskStopped(result.death);
        case Ending::memory_exceeded: throw WorkerMemoryExceeded(result.death);
        case Ending::worker_died: throw WorkerDied(result.death);
        case Ending::cancelled: throw Cancelled();
        case Ending::broken: throw_broken(&engine);
        case Ending::no_memory: throw std::bad_alloc();
        case Ending::value:
        case Ending::skipped: break;
    }
    throw DecodeError("a task ended in a way that this face does not know");
}

Outcome encode_exception(Output& out) noexcept {
    try {
        std::vector<Thrown> chain = chain_of(std::current_exception());
        if (!chain.front().registered) chain.front().stack = take_throw_stack();
        return write_chain(chain, out);
    } catch (...) {
        out.allocate(0);
        out.finish(0);
        return Outcome::exception;
    }
}

}  // namespace hardwork::face
