// Which parts of a lane's result arena hold results that have not been read. A worker that hands out memory a second time
// would have the parent unmap it under a reader.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

#include "shm/request.hpp"

namespace hardwork::shm {

class LiveExtents {
  public:
    // False if it overlaps one that lives, or ends beyond what an address can be.
    bool add(Extent extent) {
        if (extent.length > ~extent.offset) return false;
        const std::uint64_t end = extent.offset + extent.length;
        const auto after = ends_.lower_bound(extent.offset);
        if (after != ends_.end() && (after->first == extent.offset || after->first < end)) return false;
        if (after != ends_.begin() && std::prev(after)->second > extent.offset) return false;
        ends_.emplace_hint(after, extent.offset, end);
        return true;
    }
    void remove(Extent extent) { ends_.erase(extent.offset); }
    bool empty() const { return ends_.empty(); }

  private:
    std::map<std::uint64_t, std::uint64_t> ends_;  // by offset
};

}  // namespace hardwork::shm
