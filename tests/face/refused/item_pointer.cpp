// says: type_that_cannot_travel_without_a_Codec<const char ?\*>
#include <string>
#include <vector>

#include "hardwork/hardwork.hpp"

int length(const std::string& text);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.map(length, std::vector<const char*>{"a", "b"});
#endif
}
