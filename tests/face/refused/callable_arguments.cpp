// says: the function cannot be called with these arguments
#include <string>

#include "hardwork/hardwork.hpp"

struct OnlyNumbers {
    template <class T>
    requires std::integral<T> T operator()(T number) const { return number; }
};

int main() {
    hardwork::ProcessPool pool;
    pool.submit(OnlyNumbers{}, 1);
#if defined(REFUSED)
    pool.submit(OnlyNumbers{}, std::string("text"));
#endif
}
