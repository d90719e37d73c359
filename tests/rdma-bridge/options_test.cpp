#include "rdma-bridge/options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace xylem::bridge {
namespace {

class BridgeOptions : public testing::Test {
  protected:
    std::optional<Settings> read(std::vector<const char*> words) {
        words.insert(words.begin(), "xylem-rdma");
        return read_options(static_cast<int>(words.size()), words.data(), exit_code_);
    }
    std::string mistake(std::vector<const char*> words) {
        testing::internal::CaptureStderr();
        EXPECT_FALSE(read(std::move(words)));
        EXPECT_EQ(exit_code_, kExitUsage);
        return testing::internal::GetCapturedStderr();
    }
    int exit_code_ = -1;
};

TEST_F(BridgeOptions, a_wildcard_names_no_node) {
    for (const char* wildcard : {"0.0.0.0", "0.0.0.0:7000", "::", "[::]:7000", "::ffff:0.0.0.0"}) {
        EXPECT_NE(mistake({"--listen", wildcard}).find("or --name"), std::string::npos) << wildcard;
        EXPECT_NE(mistake({"--listen", "10.0.0.1", "--name", wildcard}).find("--name: '"), std::string::npos);
        EXPECT_TRUE(read({"--listen", wildcard, "--name", "10.0.0.1"})) << wildcard;
    }
    EXPECT_TRUE(read({"--listen", "10.0.0.1:7000"}));
}

}  // namespace
}  // namespace xylem::bridge
