/// @file
/// What a worker runs before its first task.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/detail/callable.hpp"

namespace hardwork {

/// Options::initializer: anything that can be called without arguments, or nothing.
///
/// In a program that has called Template::prepare() it has to travel to the workers: then it must be what a task can be,
/// a function, a lambda whose captures are trivially copyable, or what hardwork::bound gives.
class Initializer {
  public:
    /// None.
    Initializer() = default;
    /// @param function What shall be called.
    template <class F>
    requires(!std::same_as<std::decay_t<F>, Initializer> && std::constructible_from<std::function<void()>, F&&>)
        Initializer(F&& function)  // NOLINT: what is assigned to Options::initializer becomes one
        : function_(std::forward<F>(function)) {
        using Function = std::decay_t<F>;
        if constexpr (detail::Portable<Function> && std::is_invocable_v<const Function&>) {
            if (!function_) return;
            BufferWriter out;
            detail::CallableCodec<Function>::encode(out, *function_.template target<Function>());
            state_.assign(out.bytes().begin(), out.bytes().end());
            run_ = &run<Function>;
            if constexpr (detail::FunctionPointer<Function>) {
                plain_ = reinterpret_cast<detail::AnyFunction>(*function_.template target<Function>());
            }
        }
    }

    /// Whether there is one.
    explicit operator bool() const noexcept { return function_ != nullptr; }
    /// Calls it.
    void operator()() const { function_(); }

    /// Calls what state() was made from, in a copy of this program.
    using Run = void (*)(std::span<const std::byte> state);
    /// How it is called where only its bytes have come; nullptr if it cannot travel.
    Run travelling() const noexcept { return run_; }
    /// The function that it is, if it is one and nothing more; else nullptr.
    detail::AnyFunction function() const noexcept { return plain_; }
    /// Its bytes.
    std::span<const std::byte> state() const noexcept { return state_; }

  private:
    template <class F>
    static void run(std::span<const std::byte> state) {
        Decoder in(state);
        const F function = detail::CallableCodec<F>::decode(in);
        in.expect_end();
        function();
    }

    std::function<void()> function_;
    Run run_ = nullptr;
    detail::AnyFunction plain_ = nullptr;
    std::vector<std::byte> state_;
};

}  // namespace hardwork
