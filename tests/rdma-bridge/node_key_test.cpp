#include "rdma-bridge/node_key.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/scratch_directory.hpp"

namespace xylem::bridge {
namespace {

TEST(NodeKey, a_proof_holds_for_its_role_its_nonces_and_the_node_that_was_meant_only) {
    const NodeKey key("sixteen bytes or");
    Meeting meeting{fresh_nonce(), fresh_nonce(), {}};
    meeting.to.family = AF_INET;
    EXPECT_NE(meeting.diallers, meeting.listeners);
    const Proof proof = key.proof(Role::dialler, meeting);
    EXPECT_TRUE(key.is_proof(proof, Role::dialler, meeting));
    EXPECT_FALSE(key.is_proof(proof, Role::listener, meeting)) << "reflected";
    EXPECT_FALSE(key.is_proof(proof, Role::dialler, {meeting.listeners, meeting.diallers, meeting.to}));
    EXPECT_FALSE(key.is_proof(proof, Role::dialler, {meeting.diallers, fresh_nonce(), meeting.to}))
        << "replayed";
    EXPECT_FALSE(NodeKey("another key.....").is_proof(proof, Role::dialler, meeting));
    Meeting handed_on = meeting;
    handed_on.to.address[0] = 10;
    EXPECT_FALSE(key.is_proof(proof, Role::dialler, handed_on)) << "to a node that was not meant";
    Proof wrong = proof;
    wrong.back() ^= 1;
    EXPECT_FALSE(key.is_proof(wrong, Role::dialler, meeting));
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

TEST_F(NodeKeyFile, is_not_waited_for_where_it_is_a_fifo) {
    const std::string path = scratch_.path() + "/fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_NE(error_of(path).find("not a regular file"), std::string::npos);
    EXPECT_NE(error_of(scratch_.path()).find("not a regular file"), std::string::npos);
}

TEST_F(NodeKeyFile, says_what_is_wrong) {
    EXPECT_NE(error_of(scratch_.path() + "/none").find("No such file"), std::string::npos);
    EXPECT_NE(error_of(file("short", 0600)).find("5 bytes"), std::string::npos);
    EXPECT_NE(error_of(file(std::string(5000, 'k'), 0600)).find("16 to 4096"), std::string::npos);
}

}  // namespace
}  // namespace xylem::bridge
