// A program outside of the tree that knows the installed package only.
#include <hardwork/hardwork.hpp>

#include <cstdlib>
#include <string>
#include <vector>

int risky(int n) {
    if (n == 13) std::_Exit(1);
    return n * n;
}

int main() {
    hardwork::ProcessPool pool({.workers = 2});
    auto future = pool.submit(risky, 13);
    const std::vector<int> numbers{1, 2, 3};
    int sum = 0;
    for (const int square : pool.map(risky, numbers))
        sum += square;
    const std::string version = std::to_string(HARDWORK_VERSION_MAJOR) + "." + std::to_string(HARDWORK_VERSION_MINOR) +
                                "." + std::to_string(HARDWORK_VERSION_PATCH);
    try {
        future.get();
    } catch (const hardwork::WorkerDied& died) {
        return died.exit_code() == 1 && sum == 14 && version == FOUND_VERSION ? 0 : 1;
    }
    return 2;
}
