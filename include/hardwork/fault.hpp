// Where tests strike: after each store of the protocol that parent and worker share, and at the steps of births and
// deaths. A release has nothing of it; see docs/design/fault-points.md.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#if defined(HARDWORK_FAULT_POINTS) && HARDWORK_FAULT_POINTS

#include <version>
#if defined(__cpp_lib_source_location)
#include <source_location>
#else
#include <cstdint>
#endif

namespace hardwork::fault {

#if defined(__cpp_lib_source_location)
using Where = std::source_location;
#else
// clang before 16 has none.
class Where {
  public:
    static constexpr Where current(const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE(),
                                   std::uint32_t column = __builtin_COLUMN()) {
        Where here;
        here.file_ = file;
        here.line_ = line;
        here.column_ = column;
        return here;
    }
    constexpr const char* file_name() const { return file_; }
    constexpr std::uint32_t line() const { return line_; }
    constexpr std::uint32_t column() const { return column_; }

  private:
    const char* file_ = "";
    std::uint32_t line_ = 0;
    std::uint32_t column_ = 0;
};
#endif

// Set by a test before the pool is made; its workers inherit it.
using Hook = void (*)(const Where& where);
inline Hook hook = nullptr;

inline void point(const Where& where = Where::current()) {
    if (hook != nullptr) hook(where);
}

}  // namespace hardwork::fault

#define HARDWORK_FAULT_POINT() ::hardwork::fault::point()

#else

#define HARDWORK_FAULT_POINT() static_cast<void>(0)

#endif
