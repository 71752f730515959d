// What the shared library shows of itself. Everything is built with hidden symbols; what programs use, by themselves or by the
// templates of these headers, says HARDWORK_API.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#define HARDWORK_API __attribute__((visibility("default")))
