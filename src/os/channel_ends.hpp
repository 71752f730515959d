// What the two ends of a Channel need when the other end, or the process behind it, goes away.
#pragma once

#include "base/result.hpp"
#include "os/channel.hpp"

namespace hardwork::os {

// Messages that arrived can still be received; from now on the peer's sends fail (EPIPE) instead of getting lost,
// whoever else holds a copy of this descriptor. A receive after the last message says "closed".
void refuse_messages(int channel_fd);

// Both directions: the peer reads what was sent, then "closed", whoever else holds a copy of this descriptor.
void shut_down_channel(int channel_fd);

// True when a send on channel_fd will not block; false when stop_fd became readable first.
bool wait_writable_or(int channel_fd, int stop_fd);

}  // namespace hardwork::os
