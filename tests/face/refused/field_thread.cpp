// says: type_that_cannot_travel_without_a_Codec<std::thread>
#include <string>
#include <thread>
#include <tuple>

#include "hardwork/hardwork.hpp"

struct Job {
    std::string name;
    std::thread thread;
};
#if defined(REFUSED)
auto hardwork_fields(Job& job) { return std::tie(job.name, job.thread); }
#else
auto hardwork_fields(Job& job) { return std::tie(job.name); }
#endif

int main() {
    hardwork::BufferWriter out;
    hardwork::encode(out, Job{});
}
