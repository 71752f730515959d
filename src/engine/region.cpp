#include "hardwork/detail/region.hpp"

#include "os/memory.hpp"

namespace hardwork::detail {

void* take_region(bool at_once) {
    void* region = os::map_private(kRegionBytes, kRegionBytes);
    if (region != nullptr && at_once) os::prefer_huge_pages(region, kRegionBytes);
    return region;
}

void give_back_region(void* region) { os::unmap_private(region, kRegionBytes); }

void touch(void* data, std::size_t size) { os::populate(data, size); }

}  // namespace hardwork::detail
