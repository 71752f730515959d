// The results of ProcessPool::map: a lazy range, in the order of the input.
#pragma once

#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "hardwork/future.hpp"

namespace hardwork {

namespace detail {

// A job's handle; its end cancels what has not started.
class JobHandle {
  public:
    JobHandle() = default;
    JobHandle(std::shared_ptr<Engine> engine, Job* job) : engine_(std::move(engine)), job_(job) {}
    JobHandle(JobHandle&& other) noexcept
        : engine_(std::move(other.engine_)),
          job_(std::exchange(other.job_, nullptr)),
          block_(std::move(other.block_)) {}
    JobHandle& operator=(JobHandle&& other) = delete;
    ~JobHandle();
    // The next result, waited for; false at the end. Throws unless it is a value.
    bool next(TaskResult& result);

  private:
    std::shared_ptr<Engine> engine_;
    Job* job_ = nullptr;
    ResultBlock block_;
};

}  // namespace detail

// An input range: iterate once. An item's exception is thrown where the item would be; the range can be iterated on.
template <class T>
class MapResult {
  public:
    explicit MapResult(detail::JobHandle job) : job_(std::move(job)) {}

    class iterator {
      public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        iterator() = default;
        explicit iterator(MapResult* map) : map_(map) { ++*this; }
        T& operator*() const { return *map_->current_; }
        iterator& operator++() {
            if (!map_->advance()) map_ = nullptr;
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return map_ == nullptr; }

      private:
        MapResult* map_ = nullptr;
    };

    iterator begin() { return iterator(this); }
    std::default_sentinel_t end() const { return {}; }

  private:
    bool advance() {
        TaskResult result;
        if (!job_.next(result)) return false;
        Reader in(result.bytes);
        current_.emplace(Codec<T>::read(in));
        return true;
    }

    detail::JobHandle job_;
    std::optional<T> current_;
};

}  // namespace hardwork
