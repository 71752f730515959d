/// @file
/// The C++ face of hardwork: everything a program needs.
///
///     #include <hardwork/hardwork.hpp>
///
///     int main() {
///         hardwork::ProcessPool pool({.workers = 4});
///         hardwork::Future<double> f = pool.submit(risky, 42);
///         for (auto& factors : pool.map(factorize, std::views::iota(100, 1'000'000))) use(factors);
///     }
#pragma once

#include "hardwork/bound.hpp"
#include "hardwork/buffer.hpp"
#include "hardwork/codec.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"
#include "hardwork/pool_view.hpp"
#include "hardwork/process_pool.hpp"
#include "hardwork/range.hpp"
#include "hardwork/register_exception.hpp"
#include "hardwork/result.hpp"
#include "hardwork/stats.hpp"
#include "hardwork/task.hpp"
#include "hardwork/template.hpp"
#include "hardwork/this_task.hpp"
#include "hardwork/try_map.hpp"
#include "hardwork/version.hpp"
#include "hardwork/when.hpp"

/// All of this library.
namespace hardwork {}
