// Compile-time errors that name a type. The message of a static_assert cannot, so a template that is declared and never
// defined says it with its own name: "incomplete type hardwork::type_that_cannot_travel_without_a_Codec<int*>".
#pragma once

#include <cstddef>
#include <type_traits>

#include "hardwork/coding.hpp"

namespace hardwork {

/// Not defined. An error that names it says that this type has no hardwork::Codec, so that its values cannot be sent
/// to a worker or come back. Pointers, references, and views other than std::string_view and std::span of const never
/// have one.
template <class T>
struct type_that_cannot_travel_without_a_Codec;

/// Not defined. An error that names it says that values of this type show what they do not own. They can be arguments
/// of a task or items of a map, but not results, and not parts of other values.
template <class T>
struct view_that_cannot_be_a_result_or_part_of_a_value;

/// Not defined. An error that names it says that this callable cannot be sent to a worker: it is neither a function nor
/// a pointer to a member, nor a function object that is empty, trivially copyable, or has a hardwork::Codec. What a
/// lambda would capture can be given to it by hardwork::bound.
template <class F>
struct callable_that_cannot_travel_use_hardwork_bound;

namespace detail {
template <class... T>
struct Types {
    static constexpr std::size_t size = sizeof...(T);
};

// The parts that a composed type needs to be Returnable, so that an error names the one that is not.
template <class T>
struct Parts {
    using type = Types<>;
};

// One line, of the type itself.
template <class T, bool view = Borrows<T>>
struct Blame {
    static_assert(sizeof(type_that_cannot_travel_without_a_Codec<T>) != 0);
};
template <class T>
struct Blame<T, true> {
    static_assert(sizeof(view_that_cannot_be_a_result_or_part_of_a_value<T>) != 0);
};

// Of its parts, if one of them is to blame, else of the type.
template <class T, bool fine = Returnable<T>, class = typename Parts<T>::type>
struct Refusal {};
template <class T, class... P>
struct Refusal<T, false, Types<P...>> {
    using Of = std::conditional_t<(Returnable<P> && ...), std::type_identity<Blame<T>>, Types<Refusal<P>...>>;
    template <class U>
    static constexpr std::size_t look(std::type_identity<U>) {
        return sizeof(U);
    }
    template <class... U>
    static constexpr std::size_t look(Types<U...>) {
        return (std::size_t{0} + ... + sizeof(U));
    }
    static_assert(look(Of{}) != 0);
};

// Stops the compiler, with one line, if T cannot be returned.
template <class T>
constexpr void check_returnable() {
    static_assert(sizeof(Refusal<T>) != 0);
}
// The same for what may also be a view.
template <class T>
constexpr void check_sendable() {
    if constexpr (!Sendable<T>) static_assert(sizeof(Refusal<T>) != 0);
}
}  // namespace detail

}  // namespace hardwork
