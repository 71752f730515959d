// Where the templates of the public headers fail. Out of line, so that programs built with -fno-exceptions can use them:
// the library itself is always built with exceptions.
#pragma once

namespace hardwork::detail {

[[noreturn]] void throw_decode_error(const char* what);
[[noreturn]] void throw_encode_error(const char* what);
[[noreturn]] void throw_bad_alloc();
[[noreturn]] void throw_timeout();
[[noreturn]] void throw_invalid_pool();
[[noreturn]] void throw_invalid_future();

}  // namespace hardwork::detail
