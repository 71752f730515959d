/// @file
/// What a function of a plugin looks like, which the command hardwork map calls for each line. In C, or in C++:
///
///     #include <hardwork/plugin.h>
///
///     HARDWORK_PLUGIN int count(const char* line, size_t length, hardwork_emit emit, void* to) {
///         char text[32];
///         emit(to, text, (size_t)snprintf(text, sizeof text, "%zu\n", length));
///         return 0;
///     }
///
/// To be built as a shared library (c++ -shared -fPIC -o plugin.so plugin.cpp) and called by
///
///     hardwork map -- ./plugin.so:count <lines
///
/// Each call is in one of several worker processes. If it crashes, or
/// runs longer than its time limit, that line fails, and no other does.
#ifndef HARDWORK_PLUGIN_H
#define HARDWORK_PLUGIN_H

#include <stddef.h>

/// Makes a function one that can be found by its name: in C++, and where symbols are hidden.
#ifdef __cplusplus
#define HARDWORK_PLUGIN extern "C" __attribute__((visibility("default")))
#else
#define HARDWORK_PLUGIN __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Appends bytes to what the function gives for its line. They are written as they are: a line's end is theirs to have.
/// @param to What the function was given.
typedef void (*hardwork_emit)(void* to, const char* bytes, size_t length);

/// Called once for each line.
/// @param line Its bytes, without the newline; behind them is a zero. Gone when the function returns.
/// @param length How many.
/// @param emit Takes what the function gives for this line; may be called as often as wanted, on this thread.
/// @param to For emit.
/// @return 0; anything else: this line has failed, nothing is written for it, and the number is told.
typedef int (*hardwork_function)(const char* line, size_t length, hardwork_emit emit, void* to);

#ifdef __cplusplus
}
#endif

#endif
