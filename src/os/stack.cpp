#include "os/stack.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace hardwork::os {

namespace {

constexpr std::size_t kOwn = 2;  // this function and its caller
constexpr std::size_t kMost = 256;

// A return address is behind the call: one less lies in it.
const void* call_of(void* frame) { return static_cast<const char*>(frame) - 1; }

}  // namespace

[[gnu::noinline]] std::size_t capture_stack(std::span<void*> frames) {
    std::array<void*, kMost> all;
    const std::size_t wanted = std::min(frames.size() + kOwn, all.size());  // each frame more costs time
    const auto found = static_cast<std::size_t>(backtrace(all.data(), static_cast<int>(wanted)));
    if (found <= kOwn) return 0;
    const std::size_t count = found - kOwn;
    std::copy_n(all.begin() + kOwn, count, frames.begin());
    return count;
}

std::string symbol_of(void* frame) {
    Dl_info info;
    if (dladdr(call_of(frame), &info) == 0 || info.dli_sname == nullptr) return {};
    return info.dli_sname;
}

std::string place_of(void* frame) {
    Dl_info info;
    link_map* file = nullptr;
    std::array<char, 32> offset{};
    if (dladdr1(call_of(frame), &info, reinterpret_cast<void**>(&file), RTLD_DL_LINKMAP) == 0 || file == nullptr) {
        std::snprintf(offset.data(), offset.size(), "%p", frame);
        return offset.data();
    }
    // Where the file says that it lies: so of a program that cannot be moved its own addresses.
    const auto address = reinterpret_cast<std::uintptr_t>(call_of(frame)) - file->l_addr;
    std::snprintf(offset.data(), offset.size(), "+0x%zx", static_cast<std::size_t>(address));
    std::string_view name = info.dli_fname != nullptr ? info.dli_fname : "";
    if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
    return std::string(name) + offset.data();
}

}  // namespace hardwork::os
