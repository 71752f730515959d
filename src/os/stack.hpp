// The calling thread's stack: backtrace(3), dladdr1(3).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace hardwork::os {

// Fills `frames` with return addresses, the caller's caller's first. Returns how many there are, at most frames.size().
std::size_t capture_stack(std::span<void*> frames);

// The function of a frame as the linker knows it ("" if the file's dynamic symbols have none there), not demangled.
std::string symbol_of(void* frame);

// "program+0x1a2b": the file, and the address in it as addr2line(1) takes it.
std::string place_of(void* frame);

}  // namespace hardwork::os
