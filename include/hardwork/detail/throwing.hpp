// Where the templates of the public headers fail. Out of line, so that programs built with -fno-exceptions can use them:
// the library itself is always built with exceptions.
#pragma once

#include "hardwork/export.hpp"

namespace hardwork::detail {

[[noreturn]] HARDWORK_API void throw_decode_error(const char* what);
[[noreturn]] HARDWORK_API void throw_encode_error(const char* what);
[[noreturn]] HARDWORK_API void throw_bad_alloc();
[[noreturn]] HARDWORK_API void throw_timeout();
[[noreturn]] HARDWORK_API void throw_invalid_pool();
[[noreturn]] HARDWORK_API void throw_invalid_future();

}  // namespace hardwork::detail
