/// @file
/// Structs of your own travel by a list of their members.
#pragma once

#include <tuple>
#include <type_traits>

#include "hardwork/coding.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

namespace detail {
template <class T>
concept HasFields = std::is_class_v<T> && requires(T& value) {
    std::tuple_size<decltype(hardwork_fields(value))>::value;
};
}  // namespace detail

/// A type with a free function `hardwork_fields` in its namespace, which lists the members that travel:
///
///     struct Person {
///         std::string name;
///         std::vector<Person> children;
///     };
///     auto hardwork_fields(Person& person) { return std::tie(person.name, person.children); }
///
/// It has to be default constructible: a value is made, and then its members are set. What is not listed keeps what the
/// default constructor gives it. The function gets a non-const reference also to encode, and must change nothing.
template <detail::HasFields T>
struct Codec<T> {
    /// Writes the members.
    static void encode(auto& out, const T& value) {
        const detail::Inside inside(out);
        std::apply([&](auto&... member) { (encode_member(out, member), ...); }, hardwork_fields(const_cast<T&>(value)));
    }
    /// Reads the members.
    static T decode(Decoder& in) {
        static_assert(std::is_default_constructible_v<T>,
                      "hardwork: a type with hardwork_fields has to be default constructible, to be decoded");
        const detail::Inside inside(in);
        T value{};
        std::apply([&](auto&... member) { (decode_member(in, member), ...); }, hardwork_fields(value));
        return value;
    }

  private:
    template <class M>
    static void encode_member(auto& out, const M& member) {
        detail::check_returnable<M>();
        if constexpr (Returnable<M>) Codec<M>::encode(out, member);
    }
    template <class M>
    static void decode_member(Decoder& in, M& member) {
        detail::check_returnable<M>();
        if constexpr (Returnable<M>) member = Codec<M>::decode(in);
    }
};

}  // namespace hardwork
