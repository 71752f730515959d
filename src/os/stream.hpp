// Reading and writing what was opened by others: standard streams, pipes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

inline constexpr int kStandardInput = 0;
inline constexpr int kStandardOutput = 1;
inline constexpr int kStandardError = 2;

struct PipeEnds {
    Fd reader;
    Fd writer;
};
Result<PipeEnds> make_pipe();  // close-on-exec; reading never blocks, writing does

// Some bytes; 0: the end. Nothing to read where reading does not block: Errc::system with kTryAgain.
Result<std::size_t> read_some(int fd, std::span<char> bytes);
// How many were written.
Result<std::size_t> write_some(int fd, std::string_view bytes);
bool is_terminal(int fd);
// Whether writing many bytes can block although the descriptor is ready for writing (pipes, sockets, terminals).
bool can_block(int fd);

}  // namespace hardwork::os
