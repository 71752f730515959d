// Everything that a C++ program needs of hardwork.
#pragma once

#include "hardwork/codec.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/future.hpp"
#include "hardwork/map.hpp"
#include "hardwork/options.hpp"
#include "hardwork/process_pool.hpp"
#include "hardwork/version.hpp"
