// says: type_that_cannot_travel_without_a_Codec<const char ?\*>
#include <string>

#include "hardwork/hardwork.hpp"

std::string join(const std::string& a, const std::string& b);

int main() {
    static_cast<void>(hardwork::bound(join, std::string("text")));
#if defined(REFUSED)
    static_cast<void>(hardwork::bound(join, "text"));
#endif
}
