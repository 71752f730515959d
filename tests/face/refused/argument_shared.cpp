// says: type_that_cannot_travel_without_a_Codec<std::shared_ptr<int> ?>
#include <memory>

#include "hardwork/hardwork.hpp"

int take(std::shared_ptr<int> shared);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.submit(take, std::make_shared<int>(1));
#endif
}
