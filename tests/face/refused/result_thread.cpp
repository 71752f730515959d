// says: type_that_cannot_travel_without_a_Codec<std::thread>
#include <thread>

#include "hardwork/hardwork.hpp"

std::thread start(int number);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.map(start, hardwork::range(0, 3));
#endif
}
