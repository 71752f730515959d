// What get() and the pool throw.
#pragma once

#include <stdexcept>
#include <string>

#include "hardwork/error.hpp"

namespace hardwork {

// An exception of a task, by name and text: the object itself stays in the worker.
class RemoteError : public std::runtime_error {
  public:
    RemoteError(std::string type_name, const std::string& message)
        : std::runtime_error(type_name + ": " + message), type_name_(std::move(type_name)), message_(message) {}
    const std::string& type_name() const { return type_name_; }  // demangled: "std::out_of_range"
    const std::string& message() const { return message_; }      // its what(), or "" if it is no std::exception

  private:
    std::string type_name_;
    std::string message_;
};

// The pool cannot run anything any more: its workers cannot be started, or its initializer threw (then what() says what).
class BrokenPool : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The worker that ran the task ended before the result was in. Only this task is lost.
class WorkerDied : public std::runtime_error {
  public:
    explicit WorkerDied(const WorkerDeath& death);
    const WorkerDeath& death() const { return death_; }  // pid, signal or exit code, phase, task

  private:
    WorkerDeath death_;
};

// The task was cancelled before it started.
class Cancelled : public std::runtime_error {
  public:
    Cancelled() : std::runtime_error("the task was cancelled before it started") {}
};

// Bytes that do not decode to the type that was asked for.
class CodecError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace hardwork
