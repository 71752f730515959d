// Runs code and catches what it throws, also for programs that are built with -fno-exceptions: the handler is in the
// library. Where such a program's own frames are passed by an exception (damaged bytes in its Codecs), what they had
// made is not destroyed; nothing else is lost.
#pragma once

#include <exception>
#include <memory>
#include <type_traits>

#include "hardwork/export.hpp"

namespace hardwork::detail {

// What run(context) throws, or nullptr.
HARDWORK_API std::exception_ptr attempt_call(void (*run)(void* context), void* context) noexcept;
[[noreturn]] HARDWORK_API void rethrow(const std::exception_ptr& thrown);

// What body() throws, or nullptr.
template <class F>
std::exception_ptr attempt(F&& body) noexcept {
    using Body = std::remove_reference_t<F>;
    return attempt_call([](void* context) { (*static_cast<Body*>(context))(); },
                        const_cast<void*>(static_cast<const void*>(std::addressof(body))));
}

}  // namespace hardwork::detail
