/// @file
/// Types that cereal serialises travel as they are. Not part of hardwork.hpp: it needs cereal (Debian: libcereal-dev), and
/// exceptions. Include it, and what cereal needs for the types of the members (<cereal/types/vector.hpp> and so on).
#pragma once

#include <cereal/archives/binary.hpp>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <exception>
#include <istream>
#include <ostream>
#include <streambuf>
#include <string>
#include <type_traits>

#include "hardwork/codec/plain.hpp"
#include "hardwork/coding.hpp"

namespace hardwork {

/// Whether a type travels by cereal. That is so of itself for those with member functions `serialize`, or `save` and
/// `load`. Say it for those with free ones, in place of cereal's own rules:
///
///     template <>
///     inline constexpr bool hardwork::travels_by_cereal<my::Person> = true;
template <class T>
inline constexpr bool travels_by_cereal = cereal::traits::has_member_serialize<T, cereal::BinaryOutputArchive>::value ||
                                          (cereal::traits::has_member_save<T, cereal::BinaryOutputArchive>::value &&
                                           cereal::traits::has_member_load<T, cereal::BinaryInputArchive>::value);

namespace detail {
// What an archive writes goes on to one of our writers.
template <class Out>
class WritingBuffer final : public std::streambuf {
  public:
    explicit WritingBuffer(Out& out) : out_(out) {}

  protected:
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        out_.write(text, static_cast<std::size_t>(size));
        return size;
    }
    int_type overflow(int_type c) override {
        const char one = traits_type::to_char_type(c);
        out_.write(&one, 1);
        return c;
    }

  private:
    Out& out_;
};

// What an archive reads comes from a Decoder; what is not there ends the stream, which the archive notices.
class ReadingBuffer final : public std::streambuf {
  public:
    explicit ReadingBuffer(Decoder& in) : in_(in) {}

  protected:
    std::streamsize xsgetn(char* text, std::streamsize size) override {
        const auto wanted = static_cast<std::size_t>(size);
        const std::size_t taken = wanted < in_.left() ? wanted : in_.left();
        const auto bytes = in_.take(taken);
        if (taken != 0) std::memcpy(text, bytes.data(), taken);
        return static_cast<std::streamsize>(taken);
    }

  private:
    Decoder& in_;
};
}  // namespace detail

/// Types that cereal serialises, by its binary archive. One that is trivially copyable, or has hardwork_fields, travels
/// that way instead. Whatever cereal throws at bytes that are damaged is a DecodeError.
template <class T>
requires(travels_by_cereal<T> && !detail::Plain<T> && !detail::HasFields<T>) struct Codec<T> {
    /// Writes it.
    static void encode(auto& out, const T& value) {
        detail::WritingBuffer buffer(out);
        std::ostream stream(&buffer);
        stream.exceptions(std::ios::badbit);  // what a writer throws goes on
        cereal::BinaryOutputArchive archive(stream);
        archive(value);
    }
    /// Reads it.
    static T decode(Decoder& in) {
        static_assert(std::is_default_constructible_v<T>,
                      "hardwork: a type that travels by cereal has to be default constructible, to be decoded");
        detail::ReadingBuffer buffer(in);
        std::istream stream(&buffer);
        T value{};
        try {
            cereal::BinaryInputArchive archive(stream);
            archive(value);
        } catch (const std::exception& error) {
            detail::throw_decode_error(error.what());
        }
        return value;
    }
};

}  // namespace hardwork
