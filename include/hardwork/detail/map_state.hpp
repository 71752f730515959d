// One map under way: spans go in, results come out in order. Everything that does not depend on types.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "hardwork/coding.hpp"
#include "hardwork/detail/span_format.hpp"
#include "hardwork/engine.hpp"
#include "hardwork/export.hpp"

namespace hardwork::detail {

class MapState;

// Collects items until there are enough for a span.
class HARDWORK_API SpanWriter {
  public:
    // fixed_size: bytes of each item, or 0 if they differ.
    explicit SpanWriter(std::size_t fixed_size) : fixed_size_(fixed_size) {}

    template <class T>
    void add(const T& item) {
        Codec<T>::encode(items_, item);
        ends_.push_back(items_.bytes().size());
    }
    std::size_t size() const { return items_.bytes().size(); }
    std::uint32_t count() const { return static_cast<std::uint32_t>(ends_.size()); }
    bool full() const { return size() >= kSpanBytes || count() >= kSpanItems; }
    // Gives them to the map, if there are any.
    void send(MapState& map);

  private:
    // Large enough that a span costs little an item, small enough that the first ones come soon.
    static constexpr std::size_t kSpanBytes = std::size_t{256} << 10;
    static constexpr std::size_t kSpanItems = std::size_t{1} << 16;

    std::size_t fixed_size_;
    BufferWriter items_;
    std::vector<std::uint64_t> ends_;
};

// Reads a range that has no size, a little ahead of who reads the results.
class HARDWORK_API Feeder {
  public:
    Feeder() = default;
    Feeder(const Feeder&) = delete;
    Feeder& operator=(const Feeder&) = delete;
    virtual ~Feeder() = default;
    // Adds at most so many items; false when there are no more. Throws what the range throws.
    virtual bool feed(MapState& map, std::uint32_t most) = 0;
};

class HARDWORK_API MapState {
  public:
    MapState(std::shared_ptr<Engine> engine, Job* job, int workers);
    MapState(const MapState&) = delete;
    MapState& operator=(const MapState&) = delete;
    ~MapState();  // what has not started never will

    void add(std::span<const std::span<const std::byte>> parts, std::uint32_t count);
    void add_range(std::uint64_t first, std::uint64_t count);
    void seal();                                     // no more items
    void feed_from(std::unique_ptr<Feeder> feeder);  // or: items as they are needed
    void stop_feeding();                             // the pool is being shut down

    // The next result; false at the end. Blocks. Throws only WrongProcess.
    bool next();
    // The bytes of the current result, until next(); throws what the item ended with, if not with a value.
    std::span<const std::byte> value() const;
    // After value(), once, instead of its bytes: the memory in which they lie. nullptr: they are to be copied.
    std::unique_ptr<Segment> keep() { return block_.keep(); }
    void cancel();

  private:
    struct Added {
        std::uint64_t items;
        std::uint64_t bytes;
    };
    void top_up();
    bool hungry() const;
    void taken();

    std::shared_ptr<Engine> engine_;
    Job* job_;
    ResultBlock block_;
    TaskResult result_;
    std::exception_ptr failure_;  // instead of a result: the pool broke, or the range threw
    bool over_ = false;

    // Feeding, by the reader's thread; stop_feeding comes from any.
    std::mutex feeding_;
    std::unique_ptr<Feeder> feeder_;
    std::exception_ptr feed_error_;
    std::deque<Added> ahead_;  // what was added and has not been read
    std::uint64_t items_ahead_ = 0;
    std::uint64_t bytes_ahead_ = 0;
    std::uint64_t most_ahead_;
};

}  // namespace hardwork::detail
