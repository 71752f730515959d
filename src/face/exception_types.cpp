#include "face/exception_types.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <new>

#include "hardwork/exceptions.hpp"

namespace hardwork {

namespace {

// Has nothing to bring along, and cannot be made of a text.
detail::ExceptionType no_memory() {
    return {&typeid(std::bad_alloc), [](const std::exception_ptr&, BufferWriter&) { return true; },
            [](Decoder&, const std::exception_ptr& cause) {
                if (cause == nullptr) throw std::bad_alloc();
                try {
                    std::rethrow_exception(cause);
                } catch (...) {
                    std::throw_with_nested(std::bad_alloc());
                }
            }};
}

struct Registry {
    std::mutex lock;
    // Grows, and never moves one. Those that this library throws in tasks are there from the beginning.
    std::deque<detail::ExceptionType> types{
        detail::exception_type<TaskTimeout>(),          detail::exception_type<TaskStopped>(),
        detail::exception_type<WorkerMemoryExceeded>(), detail::exception_type<EncodeError>(),
        detail::exception_type<DecodeError>(),          no_memory()};
};

// Never destroyed: pools may outlive it otherwise, at the end of the program.
Registry& registry() {
    static auto* const all = new Registry;
    return *all;
}

// std::throw_with_nested throws a class of libstdc++'s that derives from the given one: _Nested_exception<E>.
constexpr std::string_view kNestedBegin = "St17_Nested_exceptionI";
constexpr std::string_view kNestedEnd = "E";

}  // namespace

namespace detail {
void add_exception_type(const ExceptionType& type) {
    if (face::find_exception_type(type.type->name()) != nullptr) return;
    const std::lock_guard hold(registry().lock);
    registry().types.push_back(type);
}
}  // namespace detail

namespace face {

const detail::ExceptionType* find_exception_type(std::string_view name) {
    const std::lock_guard hold(registry().lock);
    for (const detail::ExceptionType& type : registry().types) {
        if (name == type.type->name()) return &type;
    }
    return nullptr;
}

std::string thrown_type() {
    const std::type_info* type = abi::__cxa_current_exception_type();
    if (type == nullptr) return {};
    std::string_view name = type->name();
    if (name.starts_with(kNestedBegin) && name.ends_with(kNestedEnd)) {
        name.remove_prefix(kNestedBegin.size());
        name.remove_suffix(kNestedEnd.size());
    }
    return std::string(name);
}

std::string readable(const std::string& name) {
    if (name.empty()) return "unknown";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text != nullptr ? text.get() : name;
}

}  // namespace face

}  // namespace hardwork
