/// @file
/// A function with some of its arguments given in advance: what a lambda with captures is, and can always travel.
#pragma once

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hardwork/codec/product.hpp"
#include "hardwork/detail/call.hpp"
#include "hardwork/detail/callable.hpp"
#include "hardwork/detail/refusal.hpp"

namespace hardwork {

/// A function and its first arguments; made by bound(). Calling it calls the function with those, as const references,
/// and then with what it is called with.
template <class F, class... V>
class Bound {
  public:
    /// See bound().
    Bound(F function, std::tuple<V...> values) : function_(std::move(function)), values_(std::move(values)) {}
    /// Calls the function.
    template <class... A>
    requires std::is_invocable_v<const F&, const V&..., A...>
    decltype(auto) operator()(A&&... arguments) const {
        return std::apply(
            [&](const V&... value) -> decltype(auto) {
                return std::invoke(function_, value..., std::forward<A>(arguments)...);
            },
            values_);
    }

  private:
    friend struct Codec<Bound>;
    F function_;
    std::tuple<V...> values_;
};

/// Gives a function its first arguments, which travel along with it:
///
///     pool.map(hardwork::bound([](const Dictionary& words, const std::string& line) { return count(words, line); },
///                              dictionary),
///              lines);
///
/// In contrast to what a lambda captures, the values can be anything that has a Codec. For a map they travel once to
/// each worker, and not once an item.
/// @param function A function, a lambda without captures, or anything else that pools take.
/// @param values Its first arguments; they are copied, or moved from.
template <class F, class... V>
auto bound(F&& function, V&&... values) {
    detail::check_portable<std::decay_t<F>>();
    (detail::check_returnable<std::decay_t<V>>(), ...);
    return Bound<std::decay_t<F>, std::decay_t<V>...>(std::forward<F>(function), {std::forward<V>(values)...});
}

/// The function, and its values.
template <detail::Portable F, Returnable... V>
struct Codec<Bound<F, V...>> {
    /// Writes them.
    static void encode(auto& out, const Bound<F, V...>& bound) {
        detail::CallableCodec<F>::encode(out, bound.function_);
        Codec<std::tuple<V...>>::encode(out, bound.values_);
    }
    /// Reads them.
    static Bound<F, V...> decode(Decoder& in) {
        F function = detail::CallableCodec<F>::decode(in);
        return {std::move(function), Codec<std::tuple<V...>>::decode(in)};
    }
};

}  // namespace hardwork
