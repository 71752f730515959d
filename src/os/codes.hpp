// Signals and error numbers by name, for the layers that pass them on without meeting the system themselves.
#pragma once

#include <cerrno>
#include <csignal>

namespace hardwork::os {

inline constexpr int kSigKill = SIGKILL;
inline constexpr int kSigTerm = SIGTERM;
inline constexpr int kSigInt = SIGINT;
inline constexpr int kSigPipe = SIGPIPE;
inline constexpr int kSigChild = SIGCHLD;

inline constexpr int kTryAgain = EAGAIN;       // a limit on processes was reached
inline constexpr int kNoDescriptors = EMFILE;  // a limit on descriptors was reached
inline constexpr int kNoChild = ECHILD;
inline constexpr int kNoProcess = ESRCH;
inline constexpr int kCanceled = ECANCELED;
inline constexpr int kBadProtocol = EPROTO;
inline constexpr int kBrokenPipe = EPIPE;            // the peer of a channel is gone
inline constexpr int kConnectionReset = ECONNRESET;  // ... with messages unread
inline constexpr int kNotConnected = ENOTCONN;
inline constexpr int kBadDescriptor = EBADF;

// Around a call into somebody else's code that reports by errno.
inline void clear_last_error() { errno = 0; }
inline int last_error() { return errno; }

}  // namespace hardwork::os
