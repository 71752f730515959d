// What a call needs, found at compile time: the types its arguments travel as, and the type of its result. What cannot
// travel is refused here, in one line.
#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/detail/callable.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork::detail {

// An argument until it is encoded: where it lies, or converted to the type that travels.
template <class T, class A>
using Held = std::conditional_t<std::is_same_v<T, std::remove_cvref_t<A>>, const T&, T>;

// The parameters of a function or of an unambiguous call operator; `known` is false for generic ones.
template <class F, class... A>
struct Signature {
    static constexpr bool known = false;
};
template <class... P>
struct KnownSignature {
    static constexpr bool known = true;
    using Parameters = Types<P...>;
};
template <class R, class... P, class... A>
struct Signature<R (*)(P...), A...> : KnownSignature<P...> {};
template <class R, class... P, class... A>
struct Signature<R (*)(P...) noexcept, A...> : KnownSignature<P...> {};

// Of a member function, without its object.
template <class M>
struct Method {};
template <class R, class C, class... P>
struct Method<R (C::*)(P...)> : KnownSignature<P...> {};
template <class R, class C, class... P>
struct Method<R (C::*)(P...) const> : KnownSignature<P...> {};
template <class R, class C, class... P>
struct Method<R (C::*)(P...) noexcept> : KnownSignature<P...> {};
template <class R, class C, class... P>
struct Method<R (C::*)(P...) const noexcept> : KnownSignature<P...> {};

template <class F, class... A>
requires requires { typename Method<decltype(&F::operator())>::Parameters; }
struct Signature<F, A...> : Method<decltype(&F::operator())> {};

// A pointer to a member: its object comes first, as what it was given as, so that nothing of a derived class is lost.
template <class C, class Parameters>
struct WithObject;
template <class C, class... P>
struct WithObject<C, Types<P...>> : KnownSignature<C, P...> {};
template <class C, class First>
using ObjectOf = std::conditional_t<std::derived_from<std::remove_cvref_t<First>, C>, std::remove_cvref_t<First>, C>;

template <class M, class C, class First, class... A>
requires requires { typename Method<M C::*>::Parameters; }
struct Signature<M C::*, First, A...> : WithObject<ObjectOf<C, First>, typename Method<M C::*>::Parameters> {};
template <class M, class C, class First, class... A>
requires std::is_member_object_pointer_v<M C::*>
struct Signature<M C::*, First, A...> : KnownSignature<ObjectOf<C, First>> {
};

template <class P>
inline constexpr bool keeps_changes = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;

// Whether arguments A can be given to parameters P, seen before anything else so that errors come one at a time. What is of
// the very type is encoded from where it lies (see Held), so it need not be one that can be copied.
template <class A, class T>
inline constexpr bool fits_one = std::is_same_v<std::remove_cvref_t<A>, T> || std::is_convertible_v<A, T>;
template <class A, class P>
struct Fits : std::false_type {};
template <class... A, class... P>
requires(sizeof...(A) == sizeof...(P)) struct Fits<Types<A...>, Types<P...>>
    : std::bool_constant<(fits_one<A, std::decay_t<P>> && ...)> {
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
    static constexpr void check_sendable() { (detail::check_sendable<T>(), ...); }
    static constexpr bool callable() {
        if constexpr (sendable) return std::is_invocable_v<Called<F, T...>, T...>;
        return true;
    }
};

template <class T>
struct OnlyOne;
template <class T>
struct OnlyOne<Types<T>> {
    using type = T;
};

// As Refusal, of a callable: a class, so that the error is in it, and not in every function that asks.
template <class F, bool fine = Portable<F>>
struct CallableRefusal {};
template <class F>
struct CallableRefusal<F, false> {
    static_assert(sizeof(callable_that_cannot_travel_use_hardwork_bound<F>) != 0);
};
template <class F>
constexpr void check_portable() {
    static_assert(sizeof(CallableRefusal<F>) != 0);
}

template <class F, class T>
struct ResultOf;
template <class F, class... T>
struct ResultOf<F, Types<T...>> {
    using type = std::remove_cvref_t<std::invoke_result_t<Called<F, T...>, T...>>;
};

// Says what is wrong with a call, if anything; then `ok` is false and nothing else is looked at.
// wants_result: whether what the function returns has to travel back.
template <class F, bool wants_result, class... A>
struct Plan {
    static constexpr bool portable = Portable<F>;

    static constexpr auto travelling() {
        if constexpr (!portable) {
            return Types<>{};
        } else if constexpr (Signature<F, A...>::known) {
            return typename Checked<typename Signature<F, A...>::Parameters>::Travelling{};
        } else {
            return Types<std::decay_t<A>...>{};
        }
    }
    using Arguments = decltype(travelling());

    static constexpr bool matches() {
        if constexpr (!portable) {
            return false;
        } else if constexpr (Signature<F, A...>::known) {
            using Parameters = typename Signature<F, A...>::Parameters;
            constexpr bool as_many = Parameters::size == sizeof...(A);
            static_assert(as_many, "hardwork: this is not the number of arguments that the function takes");
            static_assert(
                Checked<Parameters>::no_changes,
                "hardwork: the function takes a non-const reference: what it changes would stay in the worker");
            constexpr bool fits = Fits<Types<A...>, typename Checked<Parameters>::Travelling>::value;
            static_assert(!as_many || !Checked<Parameters>::no_changes || fits,
                          "hardwork: an argument cannot be converted to the type that the function takes");
            return fits && Checked<Parameters>::no_changes;
        } else {
            return true;
        }
    }
    static constexpr bool matching = matches();

    static constexpr bool sendable() {
        if constexpr (matching) {
            Call<F, Arguments>::check_sendable();
            return Call<F, Arguments>::sendable;
        }
        return false;
    }
    static constexpr bool callable() {
        check_portable<F>();
        if constexpr (matching && sendable()) {
            constexpr bool can = Call<F, Arguments>::callable();
            static_assert(can, "hardwork: the function cannot be called with these arguments");
            return can;
        }
        return false;
    }
    static constexpr bool returns() {
        if constexpr (callable() && wants_result) {
            using R = typename ResultOf<F, Arguments>::type;
            if constexpr (!std::is_void_v<R>) {
                check_returnable<R>();
                return Returnable<R>;
            }
        }
        return true;
    }
    static constexpr bool ok = callable() && returns();
};

}  // namespace hardwork::detail
