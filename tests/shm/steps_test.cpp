// The models speak of steps that the code has.
#include "steps.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace hardwork::shm {
namespace {

TEST(ModelSteps, AreInTheCode) {
    const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
    for (const auto& [name, text, file] : testing::kStepTexts) {
        if (file.empty()) continue;
        std::ifstream source(root / file);
        ASSERT_TRUE(source) << file;
        const std::string content((std::istreambuf_iterator<char>(source)), std::istreambuf_iterator<char>());
        EXPECT_NE(content.find(text), std::string::npos) << name << ": no " << text << " in " << file;
    }
}

}  // namespace
}  // namespace hardwork::shm
