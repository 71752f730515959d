// Memory that a worker and its parent share, as whoever has it holds it: what both ends of a result that is not copied have.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "hardwork/export.hpp"

namespace hardwork {

// Its end gives the memory back. In a fork of the process that got it there is no memory behind it, and its end does nothing.
class HARDWORK_API Segment {
  public:
    virtual ~Segment() = default;
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;
    std::span<std::byte> bytes() const { return bytes_; }

  protected:
    Segment() = default;
    std::span<std::byte> bytes_;
};

// In a worker, by any of its threads: memory that Output::hand_over can make a result of as it is. nullptr where there is
// none: in any other process, without room, and for results so small that they are copied in any case.
std::unique_ptr<Segment> allocate_result(std::size_t size);

}  // namespace hardwork
