// says: callable_that_cannot_travel_use_hardwork_bound<std::function<int ?\(int\)> ?>
#include <functional>

#include "hardwork/hardwork.hpp"

int main() {
    hardwork::ProcessPool pool;
    const std::function<int(int)> function;
#if defined(REFUSED)
    pool.map(function, hardwork::range(0, 3));
#endif
}
