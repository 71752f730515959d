// The types of exceptions that come back as themselves, and names of types.
#pragma once

#include <string>
#include <string_view>

#include "hardwork/register_exception.hpp"

namespace hardwork::face {

// The type with this name (type_info::name), or nullptr.
const detail::ExceptionType* find_exception_type(std::string_view name);

// Of the exception that is being handled, as type_info::name gives it. What std::throw_with_nested has made of it is not
// part of it. "" if it is not known (an exception of another language).
std::string thrown_type();

// A type's name as it is written in a program.
std::string readable(const std::string& name);

}  // namespace hardwork::face
