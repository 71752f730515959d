// What runs a task in a worker: code that the compiler made for exactly this function and these types.
//
// A worker is a fork of this program, so an address of the program is the same there. A function's code, as the engine
// carries it, is two addresses: of the trampoline, and of the function it shall call (none for a captureless lambda,
// which is all type).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/detail/span_format.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::detail {

using AnyFunction = void (*)();

// Decodes, runs, encodes. Throws what the task throws.
using Trampoline = void (*)(AnyFunction target, const Invocation& call, PhaseMark& phase, Output& out);

struct Code {
    Trampoline trampoline = nullptr;
    AnyFunction target = nullptr;
    bool operator==(const Code&) const = default;
};

// One instance of a captureless lambda or a stateless function object.
template <class F>
concept Stateless =
    std::is_class_v<F> && std::is_empty_v<F> && std::is_default_constructible_v<F> && std::is_trivially_copyable_v<F>;

template <class F>
concept FunctionPointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

template <class F>
concept Portable = Stateless<F> || FunctionPointer<F>;

template <Portable F>
Code code_of(Trampoline trampoline, [[maybe_unused]] const F& function) {
    if constexpr (FunctionPointer<F>) {
        return {trampoline, reinterpret_cast<AnyFunction>(function)};
    } else {
        return {trampoline, nullptr};
    }
}

template <Portable F, class... T>
decltype(auto) call_target([[maybe_unused]] AnyFunction target, T&&... arguments) {
    if constexpr (FunctionPointer<F>) {
        return reinterpret_cast<F>(target)(std::forward<T>(arguments)...);
    } else {
        return F{}(std::forward<T>(arguments)...);
    }
}

template <class R>
void write_result(const R& result, Output& out) {
    SizeCounter counter;
    Codec<R>::encode(counter, result);
    std::byte* memory = out.allocate(counter.size());
    if (memory == nullptr) throw std::bad_alloc();
    MemoryWriter writer({memory, counter.size()});
    Codec<R>::encode(writer, result);
    out.finish(counter.size() - writer.left());
}

// R: what travels back. T: what the arguments were encoded as.
template <Portable F, class R, class... T>
void call_and_answer(AnyFunction target, PhaseMark& phase, Output& out, T&&... arguments) {
    phase.enter(Phase::run);
    if constexpr (std::is_void_v<R>) {
        call_target<F>(target, std::forward<T>(arguments)...);
        phase.enter(Phase::encode);
        out.allocate(0);
        out.finish(0);
    } else {
        // A function may return a reference: nothing is copied before it is encoded.
        auto&& result = call_target<F>(target, std::forward<T>(arguments)...);
        phase.enter(Phase::encode);
        write_result<R>(result, out);
    }
}

// A task: all its arguments, one behind the other.
template <class F, class R, class... T>
void run_task(AnyFunction target, const Invocation& call, PhaseMark& phase, Output& out) {
    Decoder in(call.payload);
    std::tuple<T...> arguments{Codec<T>::decode(in)...};
    in.expect_end();
    std::apply([&](T&... argument) { call_and_answer<F, R>(target, phase, out, std::move(argument)...); }, arguments);
}

// An item of a map: it travels as T, as the range had it, and is given to the function as P.
template <class F, class R, class T, class P>
void run_item(AnyFunction target, const Invocation& call, PhaseMark& phase, Output& out) {
    const SpanHeader header = read_span_header(call.payload);
    if constexpr (std::integral<T>) {
        if (header.kind == SpanKind::range) {
            return call_and_answer<F, R>(target, phase, out,
                                         static_cast<P>(static_cast<T>(header.number + call.index)));
        }
    }
    Decoder in(item_bytes(header, call.payload, call.index));
    T item = Codec<T>::decode(in);
    in.expect_end();
    if constexpr (std::is_same_v<T, P>) {
        call_and_answer<F, R>(target, phase, out, std::move(item));
    } else {
        call_and_answer<F, R>(target, phase, out, static_cast<P>(item));
    }
}

}  // namespace hardwork::detail
