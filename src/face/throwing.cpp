#include "hardwork/detail/throwing.hpp"

#include <new>

#include "hardwork/detail/attempt.hpp"
#include "hardwork/exceptions.hpp"

namespace hardwork::detail {

void throw_decode_error(const char* what) { throw DecodeError(what); }
void throw_encode_error(const char* what) { throw EncodeError(what); }
void throw_bad_alloc() { throw std::bad_alloc(); }
void throw_timeout() { throw TimeoutError(); }
void throw_invalid_pool() { throw InvalidPool(); }
void throw_invalid_future() { throw InvalidFuture(); }

std::exception_ptr attempt_call(void (*run)(void* context), void* context) noexcept {
    try {
        run(context);
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

void rethrow(const std::exception_ptr& thrown) { std::rethrow_exception(thrown); }

}  // namespace hardwork::detail
