// says: type_that_cannot_travel_without_a_Codec<std::span<int> ?>|type_that_cannot_travel_without_a_Codec<std::span<int, 18446744073709551615.*>
#include <span>
#include <vector>

#include "hardwork/hardwork.hpp"

int take(std::span<int> values);

int main() {
    hardwork::ProcessPool pool;
    std::vector<int> values(3);
#if defined(REFUSED)
    pool.submit(take, values);
#endif
}
