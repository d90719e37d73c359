#include "control/agent/metrics/metrics_address.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "tests/support/scratch_directory.hpp"

namespace xylem::agent {
namespace {

std::string served_at(const std::string& text) {
    std::string error;
    const auto address = parse_metrics_address(text);
    if (!address) return "no address";
    const MetricsSocket socket(*address, error);
    return socket ? socket.text() : error;
}

TEST(MetricsAddress, without_a_host_it_is_the_loopback) {
    EXPECT_EQ(served_at(":0").find("http://127.0.0.1:"), 0U);
    EXPECT_EQ(served_at("127.0.0.2:0").find("http://127.0.0.2:"), 0U);
    const auto v6 = parse_metrics_address("[::1]:9464");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->bytes.ss_family, AF_INET6);
}

TEST(MetricsAddress, names_and_half_addresses_are_none) {
    for (const char* wrong :
         {"", "9464", "localhost:9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:9464", "[::1]",
          "[127.0.0.1]:1", "127.0.0.1:1K", "127.0.0.1:-1", "relative/path"})
        EXPECT_FALSE(parse_metrics_address(wrong)) << wrong;
    EXPECT_FALSE(parse_metrics_address("/" + std::string(200, 'x')));
}

TEST(MetricsAddress, a_stale_unix_socket_is_taken_over_and_a_served_one_is_not) {
    const ScratchDirectory scratch;
    const std::string path = scratch.path("figures");
    const auto address = parse_metrics_address(path);
    ASSERT_TRUE(address);
    EXPECT_EQ(address->path(), path);
    std::string error;
    {
        const MetricsSocket first(*address, error);
        EXPECT_TRUE(first);
        EXPECT_EQ(first.text(), path);
        EXPECT_FALSE(MetricsSocket(*address, error));
        EXPECT_EQ(error, "Address already in use");
        EXPECT_EQ(::access(path.c_str(), F_OK), 0) << "the second one removed it";
    }
    EXPECT_NE(::access(path.c_str(), F_OK), 0);
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address->bytes), address->size_bytes), 0);
    EXPECT_TRUE(MetricsSocket(*address, error));
    scratch.write("figures", "a file");
    EXPECT_FALSE(MetricsSocket(*address, error));
    EXPECT_EQ(::access(path.c_str(), F_OK), 0) << "a file was removed";
}

TEST(MetricsAddress, whoever_reaches_a_unix_socket_may_connect_whatever_the_mask) {
    const ScratchDirectory scratch;
    const std::string path = scratch.path("figures");
    std::string error;
    const mode_t old_mask = ::umask(0077);
    const MetricsSocket socket(*parse_metrics_address(path), error);
    EXPECT_EQ(::umask(old_mask), 0077U) << "other files keep theirs";
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0) << error;
    EXPECT_EQ(status.st_mode & 07777, 0666U);
}

}  // namespace
}  // namespace xylem::agent
