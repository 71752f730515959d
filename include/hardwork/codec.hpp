/// @file
/// The Codecs there are:
///
/// - codec/plain.hpp: arithmetic types, enums, std::chrono, trivially copyable structs
/// - codec/text.hpp: std::string and its like, std::string_view (in), std::filesystem::path
/// - codec/sequence.hpp: std::vector, std::array, std::span (in)
/// - codec/product.hpp: std::pair, std::tuple
/// - codec/choice.hpp: std::optional, std::variant, std::unique_ptr
/// - codec/keyed.hpp: std::map, std::set, the multi and unordered ones
/// - buffer.hpp: Buffer: large data
/// - codec/fields.hpp: structs of your own, by a list of their members
/// - cereal.hpp: types that cereal serialises; not included here
///
/// "in": as an argument of a task or an item of a map, but not as a result: it does not own what it shows.
#pragma once

#include "hardwork/buffer.hpp"
#include "hardwork/codec/choice.hpp"
#include "hardwork/codec/fields.hpp"
#include "hardwork/codec/keyed.hpp"
#include "hardwork/codec/plain.hpp"
#include "hardwork/codec/product.hpp"
#include "hardwork/codec/sequence.hpp"
#include "hardwork/codec/text.hpp"
