// Where tasks live: chunks of 256 KB, numbered, never given back while the engine lives. Under the engine's lock, but
// for put_back, which any thread may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/task.hpp"

namespace hardwork {

class Slab {
  public:
    Slab() = default;
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    ~Slab();

    Task* take();  // nullptr: no memory
    void put_back(Task* task);

    // A number for a request record: generation and index.
    static std::uint64_t number(const Task* task);
    // The task of that number, or nullptr if there is none such (a number that a worker made up).
    Task* find(std::uint64_t number) const;

  private:
    struct Chunk;
    bool grow();

    std::vector<Chunk*> chunks_;
    std::vector<void*> regions_;      // what was allocated: eight chunks each
    std::byte* region_at_ = nullptr;  // the next chunk of the last one
    std::size_t region_left_ = 0;     // chunks
    Task* unused_ = nullptr;          // of the last chunk: those that were never taken
    Task* unused_end_ = nullptr;
    Task* free_ = nullptr;
    Atomic<Task*> returned_{nullptr};  // put back by any thread, collected by take
};

}  // namespace hardwork
