/// @file
/// Pools whose workers are the program's own binary, started again: Options::start = Start::exec.
#pragma once

#include <type_traits>

#include "hardwork/export.hpp"

namespace hardwork {

/// To be called first in main by a program that has pools with Start::exec. In the program itself it only takes note. In a
/// worker, which is the same binary started again, it runs tasks and does not return.
///
///     int main(int argc, char** argv) {
///         hardwork::enter_worker(argc, argv);
///         hardwork::ProcessPool pool({.start = hardwork::Start::exec});
///         ...
///
/// Workers know the exceptions that were registered before this call (register_exception).
/// @param argc As main has it.
/// @param argv As main has it.
HARDWORK_API void enter_worker(int argc, char** argv);

namespace detail {
HARDWORK_API bool add_task(void (*function)());

template <class R, class... P>
bool register_task(R (*function)(P...)) {
    return add_task(reinterpret_cast<void (*)()>(function));
}
}  // namespace detail

}  // namespace hardwork

/// @cond
#define HARDWORK_JOIN_2(a, b) a##b
#define HARDWORK_JOIN(a, b) HARDWORK_JOIN_2(a, b)
/// @endcond

/// At namespace scope, after the function: says that it may run in the workers of pools with Start::exec, where main has
/// never run. Other functions, lambdas and function objects are an UnregisteredTask there.
///
///     double risky(int number, const std::string& name);
///     HARDWORK_TASK(risky);
#define HARDWORK_TASK(function)                                                  \
    [[maybe_unused]] static const bool HARDWORK_JOIN(hardwork_task_, __LINE__) = \
        ::hardwork::detail::register_task(&(function))
