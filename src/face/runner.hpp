// Runs calls in a worker: finds the trampoline of a function, and turns what it throws into an outcome.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "hardwork/detail/trampoline.hpp"
#include "hardwork/worker.hpp"

namespace hardwork::face {

// What a function's code is when it arrives: addresses as they are here, or as they are in the program's file.
enum class CodeIs { in_memory, in_file };

class CallRunner final : public Runner {
  public:
    explicit CallRunner(const std::function<void()>& initializer, CodeIs code = CodeIs::in_memory)
        : initializer_(initializer), code_(code) {}

    bool initialize(Output& out) override;
    void define(std::uint32_t function, std::span<const std::byte> code) override;
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override;

  private:
    const std::function<void()>& initializer_;
    const CodeIs code_;
    struct Function {
        detail::Code code;
        std::vector<std::byte> state;
        std::shared_ptr<const void> object;  // made of it when it is first called
    };
    detail::Callee callee_of(Function& function);

    std::vector<Function> functions_;  // by number
};

}  // namespace hardwork::face
