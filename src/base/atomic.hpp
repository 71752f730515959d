// The alias that every atomic in the tree goes through, so that fault points and model tests can hook in at one place.
#pragma once

#include <atomic>
#include <cstdint>

#include "hardwork/fault.hpp"

namespace hardwork {

#if HARDWORK_FAULT_POINTS

// Each place that stores is a fault point.
template <class T>
struct Atomic : std::atomic<T> {
    using Base = std::atomic<T>;
    using Order = std::memory_order;
    using Where = fault::Where;
    using Base::Base;

    void store(T value, Order order = Order::seq_cst, const Where& where = Where::current()) {
        Base::store(value, order);
        fault::point(where);
    }
    T operator=(T value) {
        store(value);
        return value;
    }
    T exchange(T value, Order order = Order::seq_cst, const Where& where = Where::current()) {
        return passed(Base::exchange(value, order), where);
    }
    T fetch_add(T value, Order order = Order::seq_cst, const Where& where = Where::current()) {
        return passed(Base::fetch_add(value, order), where);
    }
    T fetch_sub(T value, Order order = Order::seq_cst, const Where& where = Where::current()) {
        return passed(Base::fetch_sub(value, order), where);
    }
    T fetch_or(T value, Order order = Order::seq_cst, const Where& where = Where::current()) {
        return passed(Base::fetch_or(value, order), where);
    }
    bool compare_exchange_strong(T& expected, T value, Order done, Order not_done,
                                 const Where& where = Where::current()) {
        return passed(Base::compare_exchange_strong(expected, value, done, not_done), where);
    }
    bool compare_exchange_weak(T& expected, T value, Order done, Order not_done,
                               const Where& where = Where::current()) {
        return passed(Base::compare_exchange_weak(expected, value, done, not_done), where);
    }

  private:
    template <class R>
    static R passed(R result, const Where& where) {
        fault::point(where);
        return result;
    }
};

#else

template <class T>
using Atomic = std::atomic<T>;

#endif

// Memory that two processes share holds atomics; that works only if they need no lock of their own.
static_assert(Atomic<std::uint32_t>::is_always_lock_free, "a lock inside an atomic would live in one process only");
static_assert(Atomic<std::uint64_t>::is_always_lock_free, "a lock inside an atomic would live in one process only");
static_assert(sizeof(Atomic<std::uint64_t>) == 8, "atomics in shared memory must have the size of their value");

inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
}

// The store-load barrier between "I published" and "is anybody asleep?". A locked add to the stack is what the
// compiler itself uses for a seq_cst fence on x86, but ThreadSanitizer does not understand the plain fence.
inline void full_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

// The same right after a successful compare-and-swap: on x86 its locked instruction was one already.
inline void fence_after_rmw() {
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    std::atomic_signal_fence(std::memory_order_seq_cst);
#else
    full_fence();
#endif
}

}  // namespace hardwork
