// A made-up /proc and /sys/fs/cgroup (folders "proc" and "cgroup") in a temporary folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace hardwork::os::testing {

class MadeUpRoot : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/hardwork_root_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root_ = name;
    }
    void TearDown() override {
        if (!root_.empty()) std::filesystem::remove_all(root_);
    }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    std::string proc() const { return (root_ / "proc").string(); }
    std::string cgroup() const { return (root_ / "cgroup").string(); }

  private:
    std::filesystem::path root_;
};

}  // namespace hardwork::os::testing
