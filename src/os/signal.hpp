// Signal dispositions of processes that are ours from birth (template, workers of the C++ face).
#pragma once

namespace hardwork::os {

void ignore_interrupts();              // SIGINT ignored: the terminal's Ctrl-C is the parent's business
void ignore_pipe();                    // SIGPIPE ignored: a closed channel is an error value
void reset_signals();                  // every handler to default, nothing blocked
void raise_oom_score(int adjustment);  // /proc/self/oom_score_adj, so that a worker goes before its parent
void block_all_signals();              // in this thread

}  // namespace hardwork::os
