#include "rdma-bridge/node_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/scratch_directory.hpp"

namespace xylem::bridge {
namespace {

TEST(NodeKey, a_proof_holds_for_its_role_and_its_nonces_only) {
    const NodeKey key("sixteen bytes or");
    const Nonce ours = fresh_nonce();
    const Nonce theirs = fresh_nonce();
    EXPECT_NE(ours, theirs);
    const Proof proof = key.proof(Role::dialler, ours, theirs);
    EXPECT_TRUE(key.is_proof(proof, Role::dialler, ours, theirs));
    EXPECT_FALSE(key.is_proof(proof, Role::listener, ours, theirs));  // reflected
    EXPECT_FALSE(key.is_proof(proof, Role::dialler, theirs, ours));
    EXPECT_FALSE(key.is_proof(proof, Role::dialler, ours, fresh_nonce()));  // replayed
    EXPECT_FALSE(NodeKey("another key.....").is_proof(proof, Role::dialler, ours, theirs));
    Proof wrong = proof;
    wrong.back() ^= 1;
    EXPECT_FALSE(key.is_proof(wrong, Role::dialler, ours, theirs));
}

class NodeKeyFile : public testing::Test {
  protected:
    std::string file(const std::string& bytes, mode_t mode) {
        const std::string path = scratch_.path() + "/key";
        ::unlink(path.c_str());
        std::ofstream(path) << bytes;
        ::chmod(path.c_str(), mode);
        return path;
    }
    std::string error_of(const std::string& path) {
        std::string error;
        EXPECT_FALSE(NodeKey::read(path, error));
        return error;
    }

    ScratchDirectory scratch_;
};

TEST_F(NodeKeyFile, is_read_if_nobody_else_can) {
    std::string error;
    EXPECT_TRUE(NodeKey::read(file(std::string(32, 'k'), 0600), error)) << error;
    EXPECT_NE(error_of(file(std::string(32, 'k'), 0640)).find("mode 0640"), std::string::npos);
}

TEST_F(NodeKeyFile, says_what_is_wrong) {
    EXPECT_NE(error_of(scratch_.path() + "/none").find("No such file"), std::string::npos);
    EXPECT_NE(error_of(file("short", 0600)).find("5 bytes"), std::string::npos);
    EXPECT_NE(error_of(file(std::string(5000, 'k'), 0600)).find("16 to 4096"), std::string::npos);
}

}  // namespace
}  // namespace xylem::bridge
