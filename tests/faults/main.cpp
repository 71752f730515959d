// Of the fault tests: also the workers of pools with Start::exec.
#include <cstdlib>

#include "faults/lab.hpp"

int main(int argc, char** argv) {
    if (argc == 3 && std::getenv(hardwork::test::kCannotStart) != nullptr) return 9;
    hardwork::enter_worker(argc, argv);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
