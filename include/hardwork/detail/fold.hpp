// transform_reduce: a map whose items are runs of the range's items, each reduced to one value by the worker.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/codec.hpp"
#include "hardwork/detail/callable.hpp"
#include "hardwork/detail/map_source.hpp"

namespace hardwork::detail {

// Neighbouring items: as the bytes of each, or, of an interval of numbers, as the first one. In a worker it shows the
// bytes that it was decoded from.
template <class Item>
struct Run {
    std::uint64_t count = 0;
    std::uint64_t first = 0;
    bool numbers = false;
    std::vector<std::byte> written;
    std::span<const std::byte> received;
};

// What a worker does with a run.
template <class Item, class Parameter, class T, class Reduce, class Transform>
struct Fold {
    Reduce reduce;
    Transform transform;

    T operator()(const Run<Item>& run) const {
        Decoder in(run.received);
        std::optional<T> total;
        for (std::uint64_t i = 0; i < run.count; ++i) {
            if constexpr (std::integral<Item>) {
                if (run.numbers) {
                    add(total, static_cast<Item>(run.first + i));
                    continue;
                }
            }
            Received<Item> item = Codec<Item>::decode(in);
            add(total, as_argument<Item>(item));
        }
        in.expect_end();
        if (!total) throw_decode_error("a run without items");
        return std::move(*total);
    }

  private:
    void add(std::optional<T>& total, Item&& item) const {
        T next(call_unchanged(transform, static_cast<Parameter>(std::move(item))));
        total.emplace(total ? T(call_unchanged(reduce, std::move(*total), std::move(next))) : std::move(next));
    }
};

// Cuts a range into runs, as they are asked for: small ones first, so that all workers have something soon; then larger
// ones, for little cost an item; small ones again where the end can be seen, so that all workers end together.
template <class Range, class Item>
class Runs {
  public:
    Runs(Range& range, int workers) : range_(range), workers_(static_cast<std::uint64_t>(workers)) {}

    class iterator {
      public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = Run<Item>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(Runs* runs) : runs_(runs) { runs_->cut(); }
        const Run<Item>& operator*() const { return runs_->run_; }
        iterator& operator++() {
            runs_->cut();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const { return runs_->run_.count == 0; }

      private:
        Runs* runs_;
    };

    iterator begin() { return iterator(this); }
    std::default_sentinel_t end() const { return {}; }

  private:
    // Enough to make the cost of a run small for items that take no time; few enough to be fair for those that do.
    static constexpr std::uint64_t kMostItems = 1 << 14;
    static constexpr std::size_t kMostBytes = std::size_t{256} << 10;
    static constexpr std::uint64_t kRunsAhead = 8;  // so many runs a worker, of what is done or left

    std::uint64_t wanted() const {
        std::uint64_t most = std::min(done_ / (workers_ * kRunsAhead) + 1, kMostItems);
        if constexpr (std::ranges::sized_range<Range>) {
            const auto all = static_cast<std::uint64_t>(std::ranges::size(range_));
            most = std::min(most, (all - done_) / (workers_ * kRunsAhead) + 1);
        }
        return most;
    }
    void cut() {
        const std::uint64_t most = wanted();
        run_.count = 0;
        if constexpr (is_iota<std::remove_cv_t<Range>>) {
            const auto all = static_cast<std::uint64_t>(std::ranges::size(range_));
            run_.count = std::min(most, all - done_);
            run_.numbers = true;
            run_.first = run_.count == 0 ? 0 : static_cast<std::uint64_t>(*std::ranges::begin(range_)) + done_;
        } else {
            if (!at_) at_.emplace(std::ranges::begin(range_));
            bytes_.clear();
            for (; run_.count < most && bytes_.bytes().size() < kMostBytes && *at_ != std::ranges::end(range_);
                 ++*at_) {
                Codec<Item>::encode(bytes_, static_cast<const Item&>(**at_));
                ++run_.count;
            }
            run_.written.assign(bytes_.bytes().begin(), bytes_.bytes().end());
        }
        done_ += run_.count;
    }

    Range& range_;
    std::uint64_t workers_;
    std::uint64_t done_ = 0;
    std::optional<std::ranges::iterator_t<Range>> at_;
    BufferWriter bytes_;
    Run<Item> run_;
};

}  // namespace hardwork::detail

namespace hardwork {

// Runs.
template <class Item>
struct Codec<detail::Run<Item>> {
    static constexpr bool borrows = true;
    static void encode(auto& out, const detail::Run<Item>& run) {
        out.write(&run.count, sizeof run.count);
        out.write(&run.first, sizeof run.first);
        detail::encode_mark(out, run.numbers);
        detail::encode_length(out, run.written.size());
        out.write(run.written.data(), run.written.size());
    }
    static detail::Run<Item> decode(Decoder& in) {
        detail::Run<Item> run;
        run.count = detail::decode_length(in);
        run.first = detail::decode_length(in);
        run.numbers = detail::decode_mark(in);
        run.received = detail::decode_run(in, 1);
        return run;
    }
};

// What folds them.
template <class Item, class Parameter, class T, class Reduce, class Transform>
struct Codec<detail::Fold<Item, Parameter, T, Reduce, Transform>> {
    using Fold = detail::Fold<Item, Parameter, T, Reduce, Transform>;
    static void encode(auto& out, const Fold& fold) {
        detail::CallableCodec<Reduce>::encode(out, fold.reduce);
        detail::CallableCodec<Transform>::encode(out, fold.transform);
    }
    static Fold decode(Decoder& in) {
        Reduce reduce = detail::CallableCodec<Reduce>::decode(in);
        return {std::move(reduce), detail::CallableCodec<Transform>::decode(in)};
    }
};

}  // namespace hardwork
