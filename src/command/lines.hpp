// Items out of a stream of bytes: what stands before each separator, and what stands after the last one if there is any.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hardwork::command {

class Lines {
  public:
    explicit Lines(char separator) : separator_(separator) {}
    void add(std::string_view bytes) {
        if (at_ != 0) {
            held_.erase(0, at_);
            looked_ -= at_;
            at_ = 0;
        }
        held_.append(bytes);
    }
    void end() { ended_ = true; }
    bool ended() const { return ended_; }
    // The next one that is complete; false: there is none yet, or none any more.
    bool next(std::string& line) {
        const std::size_t end = held_.find(separator_, looked_);
        if (end == std::string::npos) {
            looked_ = held_.size();
            if (!ended_ || at_ == held_.size()) return false;
            line.assign(held_, at_);
            at_ = held_.size();
            return true;
        }
        line.assign(held_, at_, end - at_);
        at_ = looked_ = end + 1;
        return true;
    }

  private:
    const char separator_;
    std::string held_;
    std::size_t at_ = 0;      // where the next one begins
    std::size_t looked_ = 0;  // there is no separator from there to here
    bool ended_ = false;
};

}  // namespace hardwork::command
