// says: the continuation can be called neither with the value nor with a Result of it
#include <string>

#include "hardwork/hardwork.hpp"

int main() {
    hardwork::Future<int> future;
#if defined(REFUSED)
    future.then([](const std::string& text) { return text; });
#endif
}
