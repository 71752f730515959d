// says: takes a non-const reference: what it changes would stay in the worker
#include <string>

#include "hardwork/hardwork.hpp"

void change(std::string& text);

int main() {
    hardwork::ProcessPool pool;
    std::string text;
#if defined(REFUSED)
    pool.submit(change, text);
#endif
}
