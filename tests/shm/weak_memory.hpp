// Memory as processors have it: a store waits in its process's buffer before others see it. It gets out after those before
// it (as on x86), or, if the model says so, before them: then only a release waits, and what is stored to the same word.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hardwork::shm::testing {

template <std::size_t Words>
class WeakMemory {
  public:
    using Byte = std::uint8_t;
    static constexpr std::size_t kMost = 4;  // stores that wait

    bool can_store(std::size_t who) const { return buffers_[who].count < kMost; }
    void store(std::size_t who, std::size_t word, Byte value, bool release) {
        Buffer& buffer = buffers_[who];
        buffer.stores[buffer.count++] = {static_cast<Byte>(word), value, release};
    }
    Byte load(std::size_t who, std::size_t word) const {
        const Buffer& buffer = buffers_[who];
        for (std::size_t i = buffer.count; i-- > 0;) {
            if (buffer.stores[i].word == word) return buffer.stores[i].value;
        }
        return words_[word];
    }
    // full_fence, and what a read-modify-write waits for.
    bool drained(std::size_t who) const { return buffers_[who].count == 0; }
    Byte& locked(std::size_t word) { return words_[word]; }

    // Each state that one store which gets out leads to.
    template <class State>
    static void flush(const State& state, WeakMemory State::*memory, bool reorders, std::vector<State>& out) {
        for (std::size_t who = 0; who < kProcesses; ++who) {
            const Buffer& buffer = (state.*memory).buffers_[who];
            for (std::size_t i = 0; i < buffer.count && (reorders || i == 0); ++i) {
                if (!buffer.may_leave(i)) continue;
                WeakMemory& next = out.emplace_back(state).*memory;
                next.words_[buffer.stores[i].word] = buffer.stores[i].value;
                next.buffers_[who].remove(i);
            }
        }
    }

    auto operator<=>(const WeakMemory&) const = default;

  private:
    static constexpr std::size_t kProcesses = 3;
    struct Store {
        Byte word = 0;
        Byte value = 0;
        bool release = false;
        auto operator<=>(const Store&) const = default;
    };
    struct Buffer {
        std::array<Store, kMost> stores{};
        std::size_t count = 0;
        bool may_leave(std::size_t at) const {
            for (std::size_t i = 0; i < at; ++i) {
                if (stores[at].release || stores[i].word == stores[at].word) return false;
            }
            return true;
        }
        void remove(std::size_t at) {
            for (std::size_t i = at + 1; i < count; ++i)
                stores[i - 1] = stores[i];
            stores[--count] = {};
        }
        auto operator<=>(const Buffer&) const = default;
    };
    std::array<Byte, Words> words_{};
    std::array<Buffer, kProcesses> buffers_{};
};

}  // namespace hardwork::shm::testing
