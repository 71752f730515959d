// Where an exception was thrown. When a handler is looked for, the stack is still whole: the C++ runtime asks the type of
// each catch clause on the way whether it takes the exception, before anything is unwound. ThrowPoint's type is one of
// ours. It takes none, and notes the stack. An exception that is caught before it comes to that clause costs nothing.
#pragma once

#include <string>
#include <vector>

namespace hardwork::face {

// For `catch (const ThrowPoint&)`, in front of `catch (...)`. Never thrown.
class ThrowPoint {
  public:
    ThrowPoint() = delete;
    virtual ~ThrowPoint();  // in no file: so its type_info is not the compiler's but the one in throw_stack.cpp
};

// In the handler behind that clause: the stack of what it has caught, the place of the throw first, without the frames
// from the handler's function on. At most 32, each "function (file+0x1a2b)". Empty where the runtime did not ask.
std::vector<std::string> take_throw_stack();

}  // namespace hardwork::face
