// How a function travels: workers are forks of this program, so the address of a trampoline and of the function say all.
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>

#include "hardwork/codec.hpp"

namespace hardwork::detail {

// Reads a call's arguments, calls the function at `target`, appends the result's bytes.
using Trampoline = void (*)(const void* target, Reader& in, EncodedBytes& out);

// Code bytes of a function, as defined to the engine.
struct FunctionCode {
    Trampoline task;  // arguments -> result
    Trampoline item;  // for spans of integers: start and step, then item number; else nullptr
    const void* target;
};

template <class R, class... Args>
void call_task(const void* target, Reader& in, EncodedBytes& out) {
    auto* function = reinterpret_cast<R (*)(Args...)>(const_cast<void*>(target));
    // Braces: arguments are read from left to right.
    std::tuple<std::decay_t<Args>...> arguments{Codec<std::decay_t<Args>>::read(in)...};
    if constexpr (std::is_void_v<R>) {
        std::apply([&](auto&... each) { function(static_cast<Args&&>(each)...); }, arguments);
    } else {
        Codec<std::decay_t<R>>::write(
            std::apply([&](auto&... each) -> R { return function(static_cast<Args&&>(each)...); }, arguments), out);
    }
}

// What a span of integers says; the worker adds the item's number.
struct IntegerSpan {
    std::int64_t start;
    std::int64_t index;
};

template <class R, class Arg>
void call_integer(const void* target, Reader& in, EncodedBytes& out) {
    auto* function = reinterpret_cast<R (*)(Arg)>(const_cast<void*>(target));
    const auto span = Codec<IntegerSpan>::read(in);
    auto value = static_cast<std::decay_t<Arg>>(span.start + span.index);
    if constexpr (std::is_void_v<R>) {
        function(static_cast<Arg&&>(value));
    } else {
        Codec<std::decay_t<R>>::write(function(static_cast<Arg&&>(value)), out);
    }
}

template <class F>
struct FunctionTraits;

template <class R, class... Args>
struct FunctionTraits<R (*)(Args...)> {
    using Result = R;
    using Decayed = std::decay_t<R>;
    static constexpr std::size_t arity = sizeof...(Args);
    using ArgumentTuple = std::tuple<std::decay_t<Args>...>;

    static FunctionCode code(R (*function)(Args...)) {
        FunctionCode code{&call_task<R, Args...>, nullptr, reinterpret_cast<const void*>(function)};
        if constexpr (sizeof...(Args) == 1) {
            if constexpr ((std::is_integral_v<std::decay_t<Args>> && ...)) code.item = &call_integer<R, Args...>;
        }
        return code;
    }
    template <class... Given>
    static void write(EncodedBytes& out, Given&&... given) {
        (Codec<std::decay_t<Args>>::write(std::decay_t<Args>(std::forward<Given>(given)), out), ...);
    }
    static constexpr bool travels = (Travels<std::decay_t<Args>> && ...) && (std::is_void_v<R> || Travels<Decayed>);
};

// A function, or a lambda without captures: both have an address that means the same in every worker.
template <class F>
concept Addressable = std::is_pointer_v<decltype(+std::declval<F>())> &&
    std::is_function_v<std::remove_pointer_t<decltype(+std::declval<F>())>>;

template <class F>
using AddressOf = decltype(+std::declval<F>());

}  // namespace hardwork::detail
