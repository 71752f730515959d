/// @file
/// Text, and views of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"

namespace hardwork {

/// Text of any character type.
template <class C, class Traits, class Allocator>
struct Codec<std::basic_string<C, Traits, Allocator>> {
    /// Writes the length and the characters.
    static void encode(auto& out, const std::basic_string<C, Traits, Allocator>& text) {
        detail::encode_length(out, text.size());
        out.write(text.data(), text.size() * sizeof(C));
    }
    /// Reads a text.
    static std::basic_string<C, Traits, Allocator> decode(Decoder& in) {
        const std::span<const std::byte> bytes = detail::decode_run(in, sizeof(C));
        std::basic_string<C, Traits, Allocator> text(bytes.size() / sizeof(C), C{});
        if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
        return text;
    }
};

/// Views of text can be arguments (the task sees the bytes that travelled) and items of a map, but not results.
template <>
struct Codec<std::string_view> {
    /// The decoded view points into the bytes it was decoded from.
    static constexpr bool borrows = true;
    /// Writes the length and the characters.
    static void encode(auto& out, std::string_view text) {
        detail::encode_length(out, text.size());
        out.write(text.data(), text.size());
    }
    /// Reads a view of the bytes.
    static std::string_view decode(Decoder& in) {
        const std::span<const std::byte> bytes = detail::decode_run(in, 1);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
};

/// Paths, as the text they are made of.
template <>
struct Codec<std::filesystem::path> {
    /// Writes the path's own text.
    static void encode(auto& out, const std::filesystem::path& path) { Codec<std::string>::encode(out, path.native()); }
    /// Reads a path.
    static std::filesystem::path decode(Decoder& in) { return Codec<std::string>::decode(in); }
};

}  // namespace hardwork
