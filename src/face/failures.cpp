#include "face/failures.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <typeinfo>

#include "hardwork/codec.hpp"

namespace hardwork::face {

namespace {

struct Thrown {
    std::string type;
    std::string message;
};

// Empty bytes: the worker had no memory to say what it was.
Thrown decode_thrown(std::span<const std::byte> bytes) {
    if (bytes.empty()) return {"std::bad_alloc", "the worker had no memory left to report an exception"};
    Decoder in(bytes);
    std::string type = decode<std::string>(in);
    return {std::move(type), decode<std::string>(in)};
}

std::string readable(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text != nullptr ? text.get() : name;
}

// Of the exception that is being handled.
std::string current_type() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    return type != nullptr ? readable(type->name()) : "unknown";
}

Outcome write_thrown(std::string_view type, std::string_view message, Output& out) {
    SizeCounter counter;
    encode(counter, type);
    encode(counter, message);
    std::byte* memory = out.allocate(counter.size());
    if (memory == nullptr) throw std::bad_alloc();
    MemoryWriter writer({memory, counter.size()});
    encode(writer, type);
    encode(writer, message);
    out.finish(counter.size());
    return Outcome::exception;
}

[[noreturn]] void throw_broken(const Engine* engine) {
    const std::span<const std::byte> cause = engine != nullptr ? engine->broken_cause() : std::span<const std::byte>{};
    if (cause.empty()) throw BrokenPool("the pool is broken: its workers cannot be born, or die before they can work");
    Thrown thrown = decode_thrown(cause);
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
        case Errc::invalid_argument: throw std::invalid_argument(std::string("hardwork: ") + error.what);
        case Errc::ok:
        case Errc::system:
        case Errc::unsupported: break;
    }
    throw SystemError(error);
}

void throw_ending(const TaskResult& result, const Engine& engine) {
    switch (result.ending) {
        case Ending::exception: {
            Thrown thrown = decode_thrown(result.bytes);
            throw RemoteError(std::move(thrown.type), std::move(thrown.message));
        }
        case Ending::timed_out:  // this face sets no limits and stops no task
        case Ending::stopped:
        case Ending::memory_exceeded:
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
        try {
            throw;
        } catch (const std::exception& thrown) {
            return write_thrown(current_type(), thrown.what(), out);
        } catch (...) {
            return write_thrown(current_type(), "", out);
        }
    } catch (...) {
        out.allocate(0);
        out.finish(0);
        return Outcome::exception;
    }
}

}  // namespace hardwork::face
