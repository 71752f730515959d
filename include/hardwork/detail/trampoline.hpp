// What runs a task in a worker: code that the compiler made for exactly this function and these types.
//
// A worker is a fork of this program, so an address of the program is the same there. A function's code, as the engine
// carries it, is three addresses: of the trampoline, of the function it shall call, and of what revives a state. What
// has a state brings it along: for a map behind the code, once a worker; for a task in front of its arguments.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/detail/callable.hpp"
#include "hardwork/detail/result_codec.hpp"
#include "hardwork/detail/span_format.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::detail {

// Decodes, runs, encodes. Throws what the task throws.
using Trampoline = void (*)(const Callee& callee, const Invocation& call, PhaseMark& phase, Output& out);

struct Code {
    Trampoline trampoline = nullptr;
    AnyFunction target = nullptr;
    Revive revive = nullptr;
    bool operator==(const Code&) const = default;
};

template <Portable F>
Code task_code(Trampoline trampoline, [[maybe_unused]] const F& function) {
    if constexpr (FunctionPointer<F>) {
        return {trampoline, reinterpret_cast<AnyFunction>(function), nullptr};
    } else {
        return {trampoline, nullptr, nullptr};
    }
}

template <Portable F>
Code item_code(Trampoline trampoline, const F& function) {
    Code code = task_code(trampoline, function);
    if constexpr (Stateful<F>) code.revive = &revive<F>;
    return code;
}

// The type a value is decoded as: T itself, or, for some views, what they show.
template <class T>
using Received = decltype(Codec<T>::decode(std::declval<Decoder&>()));

template <class T>
T as_argument(Received<T>& received) {
    if constexpr (std::is_same_v<Received<T>, T>) {
        return std::move(received);
    } else {
        return static_cast<T>(received);
    }
}

// R: what travels back; void also where nobody wants what the function returns.
template <class R, class F, class... T>
void call_and_answer(F& function, PhaseMark& phase, Output& out, T&&... arguments) {
    if constexpr (!std::is_invocable_v<F&, T...>) {
        // It changes itself: each call has a copy of its own.
        std::remove_const_t<F> copy(function);
        return call_and_answer<R>(copy, phase, out, std::forward<T>(arguments)...);
    } else {
        phase.enter(Phase::run);
        if constexpr (std::is_void_v<R>) {
            static_cast<void>(std::invoke(function, std::forward<T>(arguments)...));
            phase.enter(Phase::encode);
            out.allocate(0);
            out.finish(0);
        } else {
            // A function may return a reference: nothing is copied before it is encoded.
            auto&& result = std::invoke(function, std::forward<T>(arguments)...);
            phase.enter(Phase::encode);
            ResultCodec<R>::write(std::forward<decltype(result)>(result), out);
        }
    }
}

// A task: its function's state, if it has one, and all its arguments, one behind the other.
template <class F, class R, class... T>
void run_task(const Callee& callee, const Invocation& call, PhaseMark& phase, Output& out) {
    Decoder in(call.payload);
    const auto run = [&](auto& function) {
        std::tuple<Received<T>...> arguments{Codec<T>::decode(in)...};
        in.expect_end();
        std::apply([&](auto&... argument) { call_and_answer<R>(function, phase, out, as_argument<T>(argument)...); },
                   arguments);
    };
    if constexpr (Stateful<F>) {
        const F function = Codec<F>::decode(in);
        run(function);
    } else {
        with_callee<F>(callee, run);
    }
}

// An item of a map: it travels as T, as the range had it, and is given to the function as P.
template <class F, class R, class T, class P>
void run_item(const Callee& callee, const Invocation& call, PhaseMark& phase, Output& out) {
    const SpanHeader header = read_span_header(call.payload);
    const auto run = [&](auto&& item) {
        with_callee<F>(callee, [&](auto& function) {
            call_and_answer<R>(function, phase, out, static_cast<P>(std::forward<decltype(item)>(item)));
        });
    };
    if constexpr (std::integral<T>) {
        if (header.kind == SpanKind::range) return run(static_cast<T>(header.number + call.index));
    }
    Decoder in(item_bytes(header, call.payload, call.index));
    Received<T> item = Codec<T>::decode(in);
    in.expect_end();
    run(as_argument<T>(item));
}

}  // namespace hardwork::detail
