// How long one call of a function takes: a running mean that follows quickly.
#pragma once

#include <cstdint>

namespace hardwork {

class Estimate {
  public:
    // ns 0: this call was not measured.
    void observe(std::uint32_t ns) {
        if (ns == 0) return;
        if (calls_ < 2) {
            // A worker's first call is no measure: it imports, and faults in what the fork has left to copy.
            mean_ = calls_ == 0 || ns < mean_ ? ns : mean_ + (ns - mean_) / 8;
            ++calls_;
            return;
        }
        // Steps of an eighth: eight calls are enough to believe a change, one odd call is not.
        const auto sample = static_cast<std::int64_t>(ns);
        const auto mean = static_cast<std::int64_t>(mean_);
        mean_ = static_cast<std::uint64_t>(mean + (sample - mean) / 8);
    }
    std::uint64_t ns() const { return mean_; }
    bool known() const { return calls_ != 0; }

  private:
    std::uint64_t mean_ = 0;
    std::uint32_t calls_ = 0;  // observed; counts to two
};

static_assert(sizeof(Estimate) <= 16);

}  // namespace hardwork
