// Runs calls in a worker: finds the trampoline of a function, and turns what it throws into an outcome.
#pragma once

#include <functional>
#include <vector>

#include "hardwork/detail/trampoline.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::face {

class CallRunner final : public Runner {
  public:
    explicit CallRunner(const std::function<void()>& initializer) : initializer_(initializer) {}

    bool initialize(Output& out) override;
    void define(std::uint32_t function, std::span<const std::byte> code) override;
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override;

  private:
    const std::function<void()>& initializer_;
    std::vector<detail::Code> functions_;  // by number
};

}  // namespace hardwork::face
