// Errors are values: below the faces nothing throws. A Result is a value or an Error that says what was tried.
#pragma once

#include <optional>
#include <utility>

#include "hardwork/error.hpp"

// Result is in a namespace of its own: hardwork::Result is what the C++ face gives its users.
namespace hardwork::base {

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(error) {}

    explicit operator bool() const { return value_.has_value(); }
    bool ok() const { return value_.has_value(); }
    T& value() { return *value_; }
    const T& value() const { return *value_; }
    T&& take() { return std::move(*value_); }
    const Error& error() const { return error_; }

  private:
    std::optional<T> value_;
    Error error_{};
};

}  // namespace hardwork::base

namespace hardwork {

// Success, or the Error.
class [[nodiscard]] Status {
  public:
    Status() = default;
    Status(Error error) : error_(error) {}

    explicit operator bool() const { return error_.code == Errc::ok; }
    bool ok() const { return error_.code == Errc::ok; }
    const Error& error() const { return error_; }

  private:
    Error error_{};
};

}  // namespace hardwork
