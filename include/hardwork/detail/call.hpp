// What a call needs, found at compile time: the types its arguments travel as, and the type of its result. What cannot
// travel is refused here, in one line.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/detail/trampoline.hpp"

namespace hardwork::detail {

template <class... T>
struct Types {
    static constexpr std::size_t size = sizeof...(T);
};

// An argument until it is encoded: where it lies, or converted to the type that travels.
template <class T, class A>
using Held = std::conditional_t<std::is_same_v<T, std::remove_cvref_t<A>>, const T&, T>;

// The parameters of a function or of an unambiguous call operator; `known` is false for generic ones.
template <class F>
struct Signature {
    static constexpr bool known = false;
};
template <class R, class... P>
struct Signature<R (*)(P...)> {
    static constexpr bool known = true;
    using Parameters = Types<P...>;
};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...)> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const noexcept> : Signature<R (*)(P...)> {};
template <class F>
requires requires { &F::operator(); }
struct Signature<F> : Signature<decltype(&F::operator())> {};

template <class P>
inline constexpr bool keeps_changes = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;

// Whether arguments A can be given to parameters P, seen before anything else so that errors come one at a time.
template <class A, class P>
struct Fits : std::false_type {};
template <class... A, class... P>
requires(sizeof...(A) == sizeof...(P)) struct Fits<Types<A...>, Types<P...>>
    : std::bool_constant<(std::is_convertible_v<A, std::decay_t<P>> && ...)> {
};

template <class P>
struct Checked;
template <class... P>
struct Checked<Types<P...>> {
    static constexpr bool no_changes = !(keeps_changes<P> || ...);
    using Travelling = Types<std::decay_t<P>...>;
};

template <class F, class T>
struct Call;

// A call of F with arguments that travel as T...
template <class F, class... T>
struct Call<F, Types<T...>> {
    static constexpr bool sendable = (Sendable<T> && ...);
    static constexpr bool callable = std::is_invocable_v<F&, T...>;
};

template <class F, class T>
struct ResultOf;
template <class F, class... T>
struct ResultOf<F, Types<T...>> {
    using type = std::remove_cvref_t<std::invoke_result_t<F&, T...>>;
};

// Says what is wrong with a call, if anything; then `ok` is false and nothing else is looked at.
template <class F, class... A>
struct Plan {
    static constexpr bool portable = Portable<F>;
    static_assert(portable,
                  "hardwork: this callable cannot travel to a worker: only functions and lambdas without captures can; "
                  "pass what it captures as arguments");

    static constexpr auto travelling() {
        if constexpr (!portable) {
            return Types<>{};
        } else if constexpr (Signature<F>::known) {
            return typename Checked<typename Signature<F>::Parameters>::Travelling{};
        } else {
            return Types<std::decay_t<A>...>{};
        }
    }
    static constexpr bool matches() {
        if constexpr (!portable) {
            return true;
        } else if constexpr (Signature<F>::known) {
            static_assert(Signature<F>::Parameters::size == sizeof...(A),
                          "hardwork: this is not the number of arguments that the function takes");
            static_assert(
                Checked<typename Signature<F>::Parameters>::no_changes,
                "hardwork: the function takes a non-const reference: what it changes would stay in the worker");
            using Both = Fits<Types<A...>, typename Checked<typename Signature<F>::Parameters>::Travelling>;
            static_assert(Signature<F>::Parameters::size != sizeof...(A) || Both::value,
                          "hardwork: an argument cannot be converted to the type that the function takes");
            return Both::value && Checked<typename Signature<F>::Parameters>::no_changes;
        } else {
            return true;
        }
    }
    using Arguments = decltype(travelling());
    static constexpr bool sendable = Call<F, Arguments>::sendable;
    static_assert(sendable,
                  "hardwork: a type of an argument cannot travel: it needs a hardwork::Codec (pointers, references and "
                  "views other than std::string_view have none)");
    static constexpr bool matching = matches();
    static constexpr bool callable = portable && matching && sendable ? Call<F, Arguments>::callable : true;
    static_assert(callable, "hardwork: the function cannot be called with these arguments");
    static constexpr bool sound = portable && matching && sendable && callable;

    static constexpr bool returns() {
        if constexpr (sound) {
            using R = typename ResultOf<F, Arguments>::type;
            return std::is_void_v<R> || Returnable<R>;
        } else {
            return true;
        }
    }
    static_assert(returns(),
                  "hardwork: the type of the result cannot travel: it needs a hardwork::Codec and must own its data "
                  "(pointers and std::string_view do not)");
    static constexpr bool ok = sound && returns();
};

}  // namespace hardwork::detail
