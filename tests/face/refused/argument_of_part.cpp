// The part is to blame, not the whole.
// says: type_that_cannot_travel_without_a_Codec<Socket>
#include <map>
#include <string>
#include <vector>

#include "hardwork/hardwork.hpp"

struct Socket {
    explicit Socket(int number);
    Socket(const Socket& other);
    int descriptor;
};

std::size_t take(const std::map<std::string, std::vector<Socket>>& all);

int main() {
    hardwork::ProcessPool pool;
#if defined(REFUSED)
    pool.submit(take, std::map<std::string, std::vector<Socket>>());
#endif
}
