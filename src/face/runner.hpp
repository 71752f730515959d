// A C++ worker: finds the function by its address, calls it, turns what it throws into bytes.
#pragma once

#include <functional>
#include <vector>

#include "hardwork/call.hpp"
#include "hardwork/worker.hpp"

namespace hardwork {

class FunctionRunner final : public Runner {
  public:
    explicit FunctionRunner(const std::function<void()>& initializer) : initializer_(initializer) {}
    bool initialize(Output& out) override;
    void define(std::uint32_t function, std::span<const std::byte> code) override;
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override;

  private:
    void call(const Invocation& call, PhaseMark& phase);
    bool give(Output& out);

    const std::function<void()>& initializer_;
    std::vector<detail::FunctionCode> functions_;
    EncodedBytes bytes_;
};

// How items of a map that are no integers lie together: this, then `count` ends, then the items.
struct ItemsHeader {
    std::uint64_t count;  // 0: a span of integers follows
};

}  // namespace hardwork
