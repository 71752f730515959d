// says: type_that_cannot_travel_without_a_Codec<const int ?\*>
#include "hardwork/hardwork.hpp"

int take(const int* pointer);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    int value = 0;
    pool.submit(take, &value);
#endif
}
