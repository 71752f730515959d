#include "work.hpp"

namespace bench {

bool& quick() {
    static bool is = false;
    return is;
}

hardwork::ProcessPool& pool() {
    static hardwork::ProcessPool one({.workers = kWorkers});
    return one;
}

std::vector<std::uint32_t> factorize(std::uint32_t n) {
    std::vector<std::uint32_t> factors;
    std::uint32_t divisor = 2;
    while (n > 1) {
        if (n % divisor == 0) {
            factors.push_back(divisor);
            n /= divisor;
        } else if (std::uint64_t{divisor} * divisor >= n) {
            factors.push_back(n);
            break;
        } else {
            divisor += divisor == 2 ? 1 : 2;
        }
    }
    return factors;
}

}  // namespace bench
