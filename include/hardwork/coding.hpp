/// @file
/// How values become bytes and come back. A type can travel if it has a Codec; see codec.hpp for the ones there are.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "hardwork/detail/throwing.hpp"

namespace hardwork {

/// How values of type T travel. For a type of your own, list its members (see codec/fields.hpp):
///
///     auto hardwork_fields(Person& person) { return std::tie(person.name, person.age); }   // in Person's namespace
///
/// or, where that does not do, specialise this template:
///
///     template <>
///     struct hardwork::Codec<Person> {
///         static void encode(auto& out, const Person& person) {
///             hardwork::encode(out, person.name);
///             hardwork::encode(out, person.age);
///         }
///         static Person decode(hardwork::Decoder& in) {
///             auto name = hardwork::decode<std::string>(in);
///             return {std::move(name), hardwork::decode<int>(in)};
///         }
///     };
///
/// `encode` may be called twice for one value (first to measure) and must do the same both times. Either must be declared
/// before the type is first used with a pool.
template <class T>
struct Codec;

/// How deep values may lie in each other (a list of nodes that own the next, a tree) when they travel. More is an
/// EncodeError, or a DecodeError where bytes are damaged: coding is recursive, and a stack has an end.
inline constexpr int max_depth = 1000;

/// Reads a value's bytes from the front. Reading past the end is a DecodeError.
class Decoder {
  public:
    /// @param bytes What to read; must live as long as the Decoder.
    explicit Decoder(std::span<const std::byte> bytes) : at_(bytes.data()), left_(bytes.size()) {}

    /// The next `size` bytes, in place.
    /// @throws DecodeError if there are not so many.
    std::span<const std::byte> take(std::size_t size) {
        if (size > left_) detail::throw_decode_error("a value ends before its bytes are complete");
        const std::span<const std::byte> taken(at_, size);
        at_ += size;
        left_ -= size;
        return taken;
    }
    /// How many bytes are left.
    std::size_t left() const { return left_; }
    /// All bytes must have been read.
    /// @throws DecodeError if some are left.
    void expect_end() const {
        if (left_ != 0) detail::throw_decode_error("a value has more bytes than its Codec reads");
    }
    /// A value inside of another begins; see max_depth.
    /// @throws DecodeError if it lies too deep.
    void enter() {
        if (++depth_ > max_depth) detail::throw_decode_error("a value lies deeper in others than hardwork::max_depth");
    }
    /// It ends.
    void leave() { --depth_; }

  private:
    const std::byte* at_;
    std::size_t left_;
    int depth_ = 0;
};

namespace detail {
// What the three writers have in common.
class Writer {
  public:
    void enter() {
        if (++depth_ > max_depth) throw_encode_error("a value lies deeper in others than hardwork::max_depth");
    }
    void leave() { --depth_; }

  private:
    int depth_ = 0;
};

// A value inside of another, while it is coded.
template <class Coder>
class Inside {
  public:
    explicit Inside(Coder& coder) : coder_(coder) { coder_.enter(); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { coder_.leave(); }

  private:
    Coder& coder_;
};
}  // namespace detail

/// Counts the bytes that an encoding takes.
class SizeCounter : public detail::Writer {
  public:
    /// Takes `size` bytes from anywhere.
    void write(const void* /*bytes*/, std::size_t size) { size_ += size; }
    /// How many it has been given.
    std::size_t size() const { return size_; }

  private:
    std::size_t size_ = 0;
};

/// Writes to memory of a size that was counted before. Writing past its end is an EncodeError.
class MemoryWriter : public detail::Writer {
  public:
    /// @param memory Where to write.
    explicit MemoryWriter(std::span<std::byte> memory) : at_(memory.data()), left_(memory.size()) {}
    /// Appends bytes.
    void write(const void* bytes, std::size_t size) {
        if (size > left_) detail::throw_encode_error("a Codec wrote more bytes than it had measured");
        if (size != 0) std::memcpy(at_, bytes, size);
        at_ += size;
        left_ -= size;
    }
    /// How much room is left.
    std::size_t left() const { return left_; }

  private:
    std::byte* at_;
    std::size_t left_;
};

/// Writes to memory that grows.
class BufferWriter : public detail::Writer {
  public:
    /// Appends bytes.
    void write(const void* bytes, std::size_t size) {
        const auto* first = static_cast<const std::byte*>(bytes);
        buffer_.insert(buffer_.end(), first, first + size);
    }
    /// What has been written.
    std::span<const std::byte> bytes() const { return buffer_; }
    /// Forgets it; keeps the memory.
    void clear() { buffer_.clear(); }

  private:
    std::vector<std::byte> buffer_;
};

namespace detail {
template <class T>
concept HasCodec = requires(const T& value, SizeCounter& counter, MemoryWriter& writer, Decoder& in) {
    Codec<T>::encode(counter, value);
    Codec<T>::encode(writer, value);
    { Codec<T>::decode(in) } -> std::convertible_to<T>;
};
// Its decoded value points into the bytes it was decoded from: good for arguments, which live as long as their bytes.
template <class T>
concept Borrows = requires {
    requires bool(Codec<T>::borrows);
};
// Its Codec copies its bytes, so many values in a row can be copied as one. Not bool: a damaged one must not be seen.
template <class T>
concept Bulk = requires {
    requires bool(Codec<T>::by_bytes);
}
&&std::is_default_constructible_v<T> && !std::is_same_v<T, bool>;
}  // namespace detail

/// T can be an argument of a task or an item of a map: it has a Codec.
template <class T>
concept Sendable = detail::HasCodec<T>;

/// T can be the result of a task, or a part of another value: it has a Codec, and it owns what it is made of.
template <class T>
concept Returnable = detail::HasCodec<T> && !detail::Borrows<T>;

/// Every value of T takes the same number of bytes: Codec<T>::fixed_size.
template <class T>
concept FixedSize = detail::HasCodec<T> && requires {
    { Codec<T>::fixed_size } -> std::convertible_to<std::size_t>;
};

/// Writes a value with its type's Codec, inside the Codec of another.
template <class Out, Sendable T>
void encode(Out& out, const T& value) {
    const detail::Inside inside(out);
    Codec<T>::encode(out, value);
}

/// Reads a value with its type's Codec, inside the Codec of another.
template <Sendable T>
T decode(Decoder& in) {
    const detail::Inside inside(in);
    return Codec<T>::decode(in);
}

}  // namespace hardwork
