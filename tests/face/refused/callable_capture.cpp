// says: callable_that_cannot_travel_use_hardwork_bound<.*lambda
#include <string>

#include "hardwork/hardwork.hpp"

int main() {
    hardwork::ProcessPool pool;
    std::string word = "word";
    pool.submit(hardwork::bound([](const std::string& text) { return text; }, word));
#if defined(REFUSED)
    pool.submit([word] { return word; });
#endif
}
