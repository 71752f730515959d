// says: not the number of arguments that the function takes
#include "hardwork/hardwork.hpp"

int add(int a, int b);

int main() {
    hardwork::ProcessPool pool;
    pool.submit(add, 1, 2);
#if defined(REFUSED)
    pool.submit(add, 1);
#endif
}
