#include "engine/slab.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace hardwork {
namespace {

// More than a region holds.
constexpr std::size_t kMany = 100'000;

TEST(Slab, EachTaskHasANumberOfItsOwnAndIsFoundByIt) {
    Slab slab;
    std::set<std::uint64_t> numbers;
    std::vector<Task*> tasks;
    for (std::size_t i = 0; i < kMany; ++i) {
        Task* task = slab.take();
        ASSERT_NE(task, nullptr);
        ASSERT_TRUE(numbers.insert(Slab::number(task)).second);
        tasks.push_back(task);
    }
    for (Task* task : tasks)
        ASSERT_EQ(slab.find(Slab::number(task)), task);
}

TEST(Slab, ANumberIsNotValidForTheNextTaskInThatPlace) {
    Slab slab;
    Task* task = slab.take();
    const std::uint64_t number = Slab::number(task);
    slab.put_back(task);
    std::vector<Task*> others;
    do {
        others.push_back(slab.take());
        ASSERT_NE(others.back(), nullptr);
    } while (others.back() != task);
    EXPECT_EQ(slab.find(number), nullptr);
    EXPECT_EQ(slab.find(Slab::number(task)), task);
}

TEST(Slab, WhatIsPutBackIsTakenBeforeMoreIsAllocated) {
    Slab slab;
    std::set<Task*> first;
    for (std::size_t i = 0; i < kMany; ++i)
        first.insert(slab.take());
    for (Task* task : first)
        slab.put_back(task);
    std::size_t known = 0;
    for (std::size_t i = 0; i < kMany; ++i)
        known += first.count(slab.take());
    EXPECT_GT(known, kMany * 9 / 10);  // some of the last chunk had never been taken
}

TEST(Slab, NumbersThatAWorkerMadeUpFindNothing) {
    Slab slab;
    EXPECT_EQ(slab.find(0), nullptr);
    EXPECT_EQ(slab.find(~std::uint64_t{0}), nullptr);
    Task* task = slab.take();
    const std::uint64_t number = Slab::number(task);
    EXPECT_EQ(slab.find(number & ~std::uint64_t{0xffffffff}), nullptr) << "the chunk's head";
    EXPECT_EQ(slab.find(number + (std::uint64_t{1} << 32)), nullptr) << "another generation";
    EXPECT_EQ(slab.find((number & ~std::uint64_t{0xffffffff}) | 0xffffff00U), nullptr) << "no such chunk";
}

}  // namespace
}  // namespace hardwork
