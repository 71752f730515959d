// What standard error is told: which items failed and why; and, on a terminal, how far it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hardwork::command {

class Report {
  public:
    Report();
    void item_done() { ++done_; }
    void item_failed(std::uint64_t number, std::string_view item, std::string_view why);
    // Something else went wrong: the exit code says so too.
    void trouble(std::string_view what);
    // Draws the line of progress again, if there is one and it is time.
    void progress();
    std::uint64_t next_progress() const { return next_; }  // os::now_ns(); ~0: never
    // The last word. The exit code.
    int finish();

  private:
    void clear_line();
    void say(std::string_view text);

    const bool on_terminal_;
    bool drawn_ = false;
    bool troubled_ = false;
    std::uint64_t next_;
    std::uint64_t done_ = 0;
    std::uint64_t failed_ = 0;
};

// Standard output: what items give, in their order. Writes never wait, but for a file.
class Writer {
  public:
    Writer();
    void add(std::string_view bytes) { waiting_ += bytes; }
    std::size_t waiting() const { return waiting_.size() - written_; }
    // When it is ready for writing. False if it cannot be written to, and why.
    bool write(std::string& why);

  private:
    const bool can_block_;
    std::string waiting_;
    std::size_t written_ = 0;
};

}  // namespace hardwork::command
