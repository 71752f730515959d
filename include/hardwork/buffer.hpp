/// @file
/// Large contiguous data that is not copied on its way from a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"
#include "hardwork/export.hpp"
#include "hardwork/segment.hpp"

namespace hardwork {

namespace detail {
template <class R>
struct ResultCodec;
}  // namespace detail

/// Bytes in one piece, to be written by a task and read by the program without a copy:
///
///     hardwork::Buffer render(const Scene& scene, int width, int height) {
///         hardwork::Buffer image(sizeof(Pixel) * width * height);
///         draw(scene, image.as<Pixel>());
///         return image;
///     }
///     const hardwork::Buffer image = pool.submit(render, scene, 1920, 1080).get();
///     show(image.as<Pixel>());
///
/// In a worker, one of more than 32 KiB is made in memory that the program sees too. When it is the result of a task, or of
/// an item of a map, the program's Buffer is that very memory, and its end gives it back to the worker. It may outlive its
/// Future, the pool, and the worker.
///
/// In all other ways it is a block of memory like others, and is copied where it travels: made in the program itself, or
/// small; an argument, an item, a part of a struct or of a tuple; returned by reference.
///
/// A Buffer belongs to the process that has it. In a fork of that process (the workers of a pool that is made later are
/// some, too) the bytes of one that came from a worker are not there to be read.
class HARDWORK_API Buffer {
  public:
    /// What every Buffer's first byte is aligned to.
    static constexpr std::size_t alignment = 64;

    /// One of no bytes.
    Buffer() noexcept = default;
    /// One of `size` bytes, which are not set to anything.
    /// @throws std::bad_alloc
    explicit Buffer(std::size_t size);
    /// Takes the bytes of another, which has none then.
    Buffer(Buffer&& other) noexcept : segment_(std::move(other.segment_)), bytes_(std::exchange(other.bytes_, {})) {}
    /// Gives its own bytes back, and takes those of another.
    Buffer& operator=(Buffer&& other) noexcept {
        if (this != &other) {
            segment_ = std::move(other.segment_);
            bytes_ = std::exchange(other.bytes_, {});
        }
        return *this;
    }
    ~Buffer() = default;

    /// One that has a copy of the given bytes.
    /// @throws std::bad_alloc
    static Buffer copy_of(std::span<const std::byte> bytes);

    /// The first byte, or nullptr if there is none.
    std::byte* data() noexcept { return bytes_.data(); }
    /// The first byte, or nullptr if there is none.
    const std::byte* data() const noexcept { return bytes_.data(); }
    /// How many there are.
    std::size_t size() const noexcept { return bytes_.size(); }
    /// Whether there are none.
    bool empty() const noexcept { return bytes_.empty(); }
    /// All of them.
    std::span<std::byte> bytes() noexcept { return bytes_; }
    /// All of them.
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

    /// The bytes as values of a trivially copyable type, as many as there are whole ones.
    template <class T>
    std::span<T> as() noexcept {
        check<T>();
        return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
    }
    /// The bytes as values of a trivially copyable type, as many as there are whole ones.
    template <class T>
    std::span<const T> as() const noexcept {
        check<T>();
        return {reinterpret_cast<const T*>(bytes_.data()), bytes_.size() / sizeof(T)};
    }

  private:
    template <class R>
    friend struct detail::ResultCodec;
    explicit Buffer(std::unique_ptr<Segment> segment) : segment_(std::move(segment)), bytes_(segment_->bytes()) {}

    template <class T>
    static constexpr void check() {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>,
                      "hardwork: a Buffer's bytes can be seen as values of a trivially copyable type only");
        static_assert(alignof(T) <= alignment, "hardwork: this type needs more than hardwork::Buffer::alignment");
    }

    std::unique_ptr<Segment> segment_;
    std::span<std::byte> bytes_;
};

/// As an argument, an item of a map, or a part of another value: its bytes, copied.
template <>
struct Codec<Buffer> {
    /// Writes how many there are, and the bytes.
    static void encode(auto& out, const Buffer& buffer) {
        detail::encode_length(out, buffer.size());
        out.write(buffer.data(), buffer.size());
    }
    /// Reads them.
    static Buffer decode(Decoder& in) { return Buffer::copy_of(detail::decode_run(in, 1)); }
};

}  // namespace hardwork
