/// @file
/// Maps and sets, of all eight kinds, element by element.
#pragma once

#include <map>
#include <set>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "hardwork/coding.hpp"
#include "hardwork/detail/lengths.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

namespace detail {
// What orders or hashes does not travel, so it must be all type.
template <class... T>
inline constexpr bool all_empty = (std::is_empty_v<T> && ...);

template <class Set>
struct SetCodec {
    using Key = typename Set::key_type;
    static void encode(auto& out, const Set& set) {
        encode_length(out, set.size());
        for (const Key& key : set)
            Codec<Key>::encode(out, key);
    }
    static Set decode(Decoder& in) {
        Set set;
        // They come in their order: the end is where the next one belongs.
        decode_elements(in, [&] { set.insert(set.end(), Codec<Key>::decode(in)); });
        return set;
    }
};

template <class Map>
struct MapCodec {
    using Key = typename Map::key_type;
    using Mapped = typename Map::mapped_type;
    static void encode(auto& out, const Map& map) {
        encode_length(out, map.size());
        for (const auto& [key, mapped] : map) {
            Codec<Key>::encode(out, key);
            Codec<Mapped>::encode(out, mapped);
        }
    }
    static Map decode(Decoder& in) {
        Map map;
        decode_elements(in, [&] {
            auto key = Codec<Key>::decode(in);
            map.emplace_hint(map.end(), std::move(key), Codec<Mapped>::decode(in));
        });
        return map;
    }
};
}  // namespace detail

/// Sets. A comparison with a state has none in a worker, so it is refused.
template <Returnable K, class... With>
requires detail::all_empty<With...>
struct Codec<std::set<K, With...>> : detail::SetCodec<std::set<K, With...>> {
};
/// Sets with equal keys.
template <Returnable K, class... With>
requires detail::all_empty<With...>
struct Codec<std::multiset<K, With...>> : detail::SetCodec<std::multiset<K, With...>> {
};
/// Hashed sets.
template <Returnable K, class... With>
requires detail::all_empty<With...>
struct Codec<std::unordered_set<K, With...>> : detail::SetCodec<std::unordered_set<K, With...>> {
};
/// Hashed sets with equal keys.
template <Returnable K, class... With>
requires detail::all_empty<With...>
struct Codec<std::unordered_multiset<K, With...>> : detail::SetCodec<std::unordered_multiset<K, With...>> {
};
/// Maps.
template <Returnable K, Returnable M, class... With>
requires detail::all_empty<With...>
struct Codec<std::map<K, M, With...>> : detail::MapCodec<std::map<K, M, With...>> {
};
/// Maps with equal keys.
template <Returnable K, Returnable M, class... With>
requires detail::all_empty<With...>
struct Codec<std::multimap<K, M, With...>> : detail::MapCodec<std::multimap<K, M, With...>> {
};
/// Hashed maps.
template <Returnable K, Returnable M, class... With>
requires detail::all_empty<With...>
struct Codec<std::unordered_map<K, M, With...>> : detail::MapCodec<std::unordered_map<K, M, With...>> {
};
/// Hashed maps with equal keys.
template <Returnable K, Returnable M, class... With>
requires detail::all_empty<With...>
struct Codec<std::unordered_multimap<K, M, With...>> : detail::MapCodec<std::unordered_multimap<K, M, With...>> {
};

namespace detail {
template <class K, class... With>
struct Parts<std::set<K, With...>> {
    using type = Types<K>;
};
template <class K, class... With>
struct Parts<std::unordered_set<K, With...>> {
    using type = Types<K>;
};
template <class K, class M, class... With>
struct Parts<std::map<K, M, With...>> {
    using type = Types<K, M>;
};
template <class K, class M, class... With>
struct Parts<std::unordered_map<K, M, With...>> {
    using type = Types<K, M>;
};
}  // namespace detail

}  // namespace hardwork
