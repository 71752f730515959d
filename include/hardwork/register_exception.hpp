/// @file
/// Exceptions that come back from a worker as themselves.
#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <typeinfo>

#include "hardwork/codec/text.hpp"
#include "hardwork/coding.hpp"
#include "hardwork/export.hpp"

namespace hardwork {

namespace detail {
// How exceptions of one type travel.
struct ExceptionType {
    const std::type_info* type;
    // Writes the exception; false if it is of another type.
    bool (*encode)(const std::exception_ptr& thrown, BufferWriter& out);
    // Throws it; cause: what std::throw_with_nested shall put into it, or nullptr.
    void (*raise)(Decoder& in, const std::exception_ptr& cause);
};
// The first one of a type stays.
HARDWORK_API void add_exception_type(const ExceptionType& type);

template <class E>
concept MadeOfText = std::derived_from<E, std::exception> && std::constructible_from<E, const std::string&>;
}  // namespace detail

#if defined(__cpp_exceptions)

namespace detail {
template <class E>
requires Returnable<E> || MadeOfText<E> ExceptionType exception_type() {
    return {&typeid(E),
            [](const std::exception_ptr& thrown, BufferWriter& out) {
                try {
                    std::rethrow_exception(thrown);
                } catch (const E& error) {
                    if constexpr (Returnable<E>) {
                        encode(out, error);
                    } else {
                        encode(out, std::string(error.what()));
                    }
                    return true;
                } catch (...) {
                    return false;
                }
            },
            [](Decoder& in, const std::exception_ptr& cause) {
                using Travels = std::conditional_t<Returnable<E>, E, std::string>;
                E error(decode<Travels>(in));
                in.expect_end();
                if (cause == nullptr) throw error;
                try {
                    std::rethrow_exception(cause);
                } catch (...) {
                    std::throw_with_nested(std::move(error));
                }
            }};
}
}  // namespace detail

/// Exceptions of this type come back from tasks as themselves, and not as a RemoteError. It must be called before the
/// pools are made (before Template::prepare, where that is used): their workers know what was registered then. Classes derived from E are not E; register each.
///
///     hardwork::register_exception<std::out_of_range>();
///     hardwork::register_exception<my::ParseError>();
///
/// What they were nested in (std::throw_with_nested) comes along.
/// @tparam E A type that has a Codec; or a class derived from std::exception that can be constructed of a std::string,
///     which then is its what().
template <class E>
requires Returnable<E> || detail::MadeOfText<E>
void register_exception() { detail::add_exception_type(detail::exception_type<E>()); }

#endif

}  // namespace hardwork
