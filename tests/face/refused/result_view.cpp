// says: view_that_cannot_be_a_result_or_part_of_a_value<std::(basic_string_view<char|string_view)
#include <string_view>

#include "hardwork/hardwork.hpp"

std::string_view view(int number);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.submit(view, 1);
#endif
}
