#include "face/throw_stack.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <string_view>
#include <typeinfo>
#include <unordered_map>
#include <utility>

#include "face/exception_types.hpp"
#include "os/stack.hpp"

namespace hardwork::face {

namespace {

constexpr std::size_t kMostCaptured = 128;
constexpr std::size_t kMostShown = 32;
// Of the C++ runtime, from the question on: __do_catch, the personality routine, the unwinder, __cxa_throw.
constexpr std::size_t kMostOfRuntime = 10;

struct Captured {
    std::array<void*, kMostCaptured> frames;
    std::size_t count = 0;
};

// Tasks run in the worker's main thread, one at a time.
Captured captured;

#ifdef __GLIBCXX__
// The language runtime asks this for ThrowPoint's type, in a catch clause, and passes what was thrown.
class ThrowWatcher final : public abi::__class_type_info {
  public:
    using __class_type_info::__class_type_info;

    bool __do_catch(const std::type_info*, void**, unsigned) const override {
        captured.count = os::capture_stack(captured.frames);
        return false;
    }
};
#endif

bool throws(std::string_view symbol) {
    // Sanitizers put a function of their own around that of the runtime.
    return symbol.ends_with("__cxa_throw") || symbol.ends_with("__cxa_rethrow") ||
           symbol.starts_with("_ZSt17rethrow_exception");
}

struct Place {
    std::string text;
    bool throws = false;
};

// Looked up once for each frame: a task that throws a million times does so from a few.
const Place& place_of(void* frame) {
    static auto* const known = new std::unordered_map<void*, Place>;  // never destroyed: tasks run at exit too
    const auto [entry, is_new] = known->try_emplace(frame);
    if (is_new) {
        const std::string symbol = os::symbol_of(frame);
        const std::string place = os::place_of(frame);
        // A function of C has no mangled name, which might be read as a type's.
        const std::string function = symbol.starts_with("_Z") ? readable(symbol) : symbol;
        entry->second = {function.empty() ? place : function + " (" + place + ")", throws(symbol)};
    }
    return entry->second;
}

}  // namespace

#ifdef __GLIBCXX__
// In the place of the type_info that the compiler would make.
alignas(ThrowWatcher) std::byte throw_point_type[sizeof(ThrowWatcher)] asm("_ZTIN8hardwork4face10ThrowPointE");

namespace {
const auto* const watcher = new (throw_point_type) ThrowWatcher("N8hardwork4face10ThrowPointE");
}  // namespace
#endif

std::vector<std::string> take_throw_stack() {
    const std::size_t count = std::exchange(captured.count, 0);
    std::array<void*, kMostCaptured> here;
    // Both stacks have the handler's function and what is below it in common.
    const std::size_t below = os::capture_stack(here);
    std::size_t common = 0;
    while (common < std::min(count, below) && captured.frames[count - 1 - common] == here[below - 1 - common])
        ++common;
    // None: one of them is cut off. Else the handler's own function comes next, which stands at another place in it now.
    const std::size_t end = common == 0 ? count : count - std::min(count, common + 1);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < std::min(end, kMostOfRuntime); ++i) {
        if (place_of(captured.frames[i]).throws) begin = i + 1;
    }
    std::vector<std::string> stack;
    for (std::size_t i = begin; i < std::min(end, begin + kMostShown); ++i)
        stack.push_back(place_of(captured.frames[i]).text);
    return stack;
}

}  // namespace hardwork::face
