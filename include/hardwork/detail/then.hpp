// Future::then: a promise that is kept by what comes of another future.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "hardwork/detail/call.hpp"
#include "hardwork/detail/shared.hpp"
#include "hardwork/result.hpp"

namespace hardwork {
template <class T>
class Future;
}  // namespace hardwork

namespace hardwork::detail {

// What only the parts of this library may do with a Future.
struct FutureAccess {
    template <class T>
    static Future<T> make(std::shared_ptr<Promise<T>> promise) {
        return Future<T>(std::shared_ptr<Shared>(std::move(promise)));
    }
    template <class T>
    static const std::shared_ptr<Shared>& share(Future<T>& future) {
        if (!future.valid()) throw_invalid_future();
        return future.share();
    }
};

template <class R>
struct Flat {
    using type = R;
    static constexpr bool is_future = false;
};
template <class R>
struct Flat<Future<R>> {
    using type = R;
    static constexpr bool is_future = true;
};

// It says so in its signature. (A generic one is given the value. What can be made of a value is no reason: a Result can.)
template <class F, class T>
inline constexpr bool takes_result = [] {
    if constexpr (Signature<F>::known) {
        return std::is_same_v<typename Checked<typename Signature<F>::Parameters>::Travelling, Types<Result<T>>>;
    }
    return false;
}();
template <class F, class T>
inline constexpr bool takes_value = std::is_invocable_v<F&, T> && !takes_result<F, T>;
template <class F>
inline constexpr bool takes_value<F, void> = std::is_invocable_v<F&>;

template <class T, class F>
constexpr bool can_go_on() {
    return takes_value<F, T> || takes_result<F, T>;
}

template <class F, class T>
decltype(auto) call_with_value(F& function, [[maybe_unused]] Result<T>& result) {
    if constexpr (std::is_void_v<T>) {
        return function();
    } else {
        return function(std::move(*result));
    }
}

template <class T, class F>
struct Then {
    static decltype(auto) call(F& function, Result<T>& result) {
        if constexpr (takes_value<F, T>) {
            return call_with_value<F, T>(function, result);
        } else {
            return function(std::move(result));
        }
    }
    using Returned = std::remove_cvref_t<decltype(call(std::declval<F&>(), std::declval<Result<T>&>()))>;
    using R = typename Flat<Returned>::type;

    static Future<R> go_on(Future<T> source, F function) {
        const std::shared_ptr<Shared> shared = FutureAccess::share(source);
        auto promise = std::make_shared<Promise<R>>(shared->engine(), shared);
        shared->on_done(continuation([promise, source = std::move(source), function = std::move(function)]() mutable {
            finish(promise, source, function);
        }));
        return FutureAccess::make(std::move(promise));
    }

  private:
    static void finish(const std::shared_ptr<Promise<R>>& promise, Future<T>& source, F& function) {
        Result<T> result = source.try_get();
        if constexpr (takes_value<F, T>) {
            if (!result.has_value()) return promise->fulfil(result.error());
        }
        if constexpr (Flat<Returned>::is_future) {
            Result<Future<R>> inner = result_of([&]() -> Future<R> { return call(function, result); });
            if (!inner.has_value()) return promise->fulfil(inner.error());
            forward(promise, std::move(*inner));
        } else {
            promise->fulfil(result_of([&]() -> R { return call(function, result); }));
        }
    }

    // The function gave a future: what comes of that.
    static void forward(const std::shared_ptr<Promise<R>>& promise, Future<R> inner) {
        const std::exception_ptr failure = attempt([&] {
            const std::shared_ptr<Shared> shared = FutureAccess::share(inner);
            shared->on_done(
                continuation([promise, inner = std::move(inner)]() mutable { promise->fulfil(inner.try_get()); }));
        });
        if (failure != nullptr) promise->fulfil(Failure(failure));
    }
};

}  // namespace hardwork::detail
