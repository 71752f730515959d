// What can be called in a worker, and how it gets there.
//
//   a function, a function pointer        its address: workers are forks of this program, so it is the same there
//   a lambda without captures             nothing: it is all type
//   a pointer to a member                 its bytes
//   any other function object, a lambda   by its Codec, if it has one; trivially copyable ones do, and a
//   with captures too                     std::function, or a lambda that captures a std::string, does not
//
// Of a lambda's captures C++20 tells nothing: not how many there are, not their types, not whether they are copies or
// references. All that can be asked is whether the whole is trivially copyable. So a lambda that captures a pointer,
// `this`, or by reference, compiles here: in the worker it refers to the worker's own copy of the program as it was when
// the pool was made. What was changed since, or made since, is not there, and what it changes is seen by nobody.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "hardwork/coding.hpp"

namespace hardwork::detail {

using AnyFunction = void (*)();

template <class F>
concept FunctionPointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

// One instance of a captureless lambda or a stateless function object.
template <class F>
concept Stateless =
    std::is_class_v<F> && std::is_empty_v<F> && std::is_default_constructible_v<F> && std::is_trivially_copyable_v<F>;

// It has a state, which travels by its Codec.
template <class F>
concept Stateful =
    !FunctionPointer<F> && !Stateless<F> && (std::is_class_v<F> || std::is_member_pointer_v<F>)&&Returnable<F>;

template <class F>
concept Portable = FunctionPointer<F> || Stateless<F> || Stateful<F>;

// How it is called: as const if that can be, so that one call does not see what another has done.
template <class F, class... T>
using Called = std::conditional_t<std::is_invocable_v<const F&, T...>, const F&, F&>;

// Calls it so that it stays as it is: what changes itself in a call is called as a copy.
template <class F, class... T>
auto call_unchanged(const F& function, T&&... arguments) {
    if constexpr (std::is_invocable_v<const F&, T...>) {
        return std::invoke(function, std::forward<T>(arguments)...);
    } else {
        F copy(function);
        return std::invoke(copy, std::forward<T>(arguments)...);
    }
}

// A callable as a part of another's state.
template <Portable F>
struct CallableCodec {
    static void encode([[maybe_unused]] auto& out, [[maybe_unused]] const F& function) {
        if constexpr (FunctionPointer<F>) {
            out.write(&function, sizeof function);
        } else if constexpr (Stateful<F>) {
            Codec<F>::encode(out, function);
        }
    }
    static F decode([[maybe_unused]] Decoder& in) {
        if constexpr (FunctionPointer<F>) {
            F function = nullptr;
            std::memcpy(&function, in.take(sizeof function).data(), sizeof function);
            return function;
        } else if constexpr (Stateful<F>) {
            return Codec<F>::decode(in);
        } else {
            return F{};
        }
    }
};

// In a worker: a callable that has been defined there, without its type.
struct Callee {
    AnyFunction target = nullptr;  // a function's address
    const void* object = nullptr;  // or a state
};

template <Portable F, class Use>
void with_callee([[maybe_unused]] const Callee& callee, Use use) {
    if constexpr (FunctionPointer<F>) {
        const F function = reinterpret_cast<F>(callee.target);
        use(function);
    } else if constexpr (Stateless<F>) {
        F function{};
        use(function);
    } else {
        use(*static_cast<const F*>(callee.object));
    }
}

// Makes the object from its bytes, once in a worker.
using Revive = std::shared_ptr<const void> (*)(std::span<const std::byte> state);

template <Stateful F>
std::shared_ptr<const void> revive(std::span<const std::byte> state) {
    Decoder in(state);
    auto object = std::make_shared<const F>(Codec<F>::decode(in));
    in.expect_end();
    return object;
}

}  // namespace hardwork::detail
