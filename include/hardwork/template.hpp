/// @file
/// Pools in programs that have started threads.
#pragma once

#include "hardwork/export.hpp"

namespace hardwork {

/// The process from which workers are forked.
///
/// A pool makes it of the program as it is when the pool is made, and so must be made before threads are started. A
/// program that cannot do so calls Template::prepare() early in main:
///
///     int main() {
///         hardwork::Template::prepare();
///         start_the_threads_of(the_application);
///         hardwork::ProcessPool pool({.workers = 4});  // now, or at any other time, by any thread
///     }
///
/// From then on the workers of all pools are copies of the program as it was at that call. What was registered, loaded or
/// opened since is not there.
class HARDWORK_API Template {
  public:
    Template() = delete;
    /// Starts the process; it ends with this program, however that ends. Does nothing if there is one. (If it was killed,
    /// pools that are there go on, and new ones are a BrokenPool until this is called again.)
    /// @throws MultithreadedProgram if there are other threads already; SystemError.
    static void prepare();
    /// Whether this process (and not one that it was forked from) has called prepare().
    static bool prepared() noexcept;
};

}  // namespace hardwork
