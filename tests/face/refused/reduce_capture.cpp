// says: callable_that_cannot_travel_use_hardwork_bound<.*lambda
#include <string>

#include "hardwork/hardwork.hpp"

int same(int number);

int main() {
    hardwork::ProcessPool pool;
    std::string word = "word";
    const auto shorter = [word](int a, int b) { return a + b - static_cast<int>(word.size()); };
#if defined(REFUSED)
    pool.transform_reduce(hardwork::range(0, 3), 0, shorter, same);
#else
    static_cast<void>(shorter);
#endif
}
