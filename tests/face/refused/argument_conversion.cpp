// says: an argument cannot be converted to the type that the function takes
#include <string>

#include "hardwork/hardwork.hpp"

int add(int a, int b);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.submit(add, 1, std::string("2"));
#endif
}
