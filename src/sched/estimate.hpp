// How long one call of a function takes: a running mean that follows quickly.
#pragma once

#include <cstdint>

namespace hardwork {

class Estimate {
  public:
    void observe(std::uint32_t ns) {
        if (!known_) {
            mean_ = ns;
            known_ = true;
            return;
        }
        // Steps of an eighth: eight calls are enough to believe a change, one odd call is not.
        const auto sample = static_cast<std::int64_t>(ns);
        const auto mean = static_cast<std::int64_t>(mean_);
        mean_ = static_cast<std::uint64_t>(mean + (sample - mean) / 8);
    }
    std::uint64_t ns() const { return mean_; }
    bool known() const { return known_; }

  private:
    std::uint64_t mean_ = 0;
    bool known_ = false;
};

static_assert(sizeof(Estimate) <= 16);

}  // namespace hardwork
