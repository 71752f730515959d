#include "os/image.hpp"

#include <gtest/gtest.h>
#include <stdio.h>

#include <cstdint>
#include <memory>

namespace hardwork::os {
namespace {

void here() {}
int variable = 1;

TEST(Image, KnowsWhatIsInTheProgram) {
    EXPECT_TRUE(in_program(reinterpret_cast<std::uintptr_t>(&here)));
    EXPECT_TRUE(in_program(reinterpret_cast<std::uintptr_t>(&variable)));
    EXPECT_FALSE(in_program(reinterpret_cast<std::uintptr_t>(stdout)));  // of the C library
    const auto made = std::make_unique<int>(1);
    EXPECT_FALSE(in_program(reinterpret_cast<std::uintptr_t>(made.get())));
    EXPECT_FALSE(in_program(0));
    EXPECT_LE(program_base(), reinterpret_cast<std::uintptr_t>(&here));
}

}  // namespace
}  // namespace hardwork::os
