#include "hosts-map/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "tests/support/scratch_directory.hpp"

namespace xylem {
namespace {

TEST(HostsMapFile, a_good_file_becomes_a_map) {
    ScratchDirectory scratch;
    scratch.write("hosts", "10.0.0.2 dom:2\n");
    auto map = load_hosts_map(scratch.path("hosts"));
    ASSERT_TRUE(map);
    EXPECT_EQ(map->find(*Address::parse("10.0.0.2"))->place.domain, 2U);
}

TEST(HostsMapFile, a_good_file_becomes_a_policy) {
    ScratchDirectory scratch;
    scratch.write("policy", "deny from any to port 22\n");
    auto policy = load_policy(scratch.path("policy"));
    ASSERT_TRUE(policy);
    EXPECT_FALSE(policy->allows(1, 22));
}

TEST(HostsMapFile, bad_lines_are_printed_one_a_line_with_the_files_path) {
    ScratchDirectory scratch;
    scratch.write("hosts", "host dom:2\n10.0.0.2 dom:x\n");
    auto map = load_hosts_map(scratch.path("hosts"));
    ASSERT_FALSE(map);
    std::string path = scratch.path("hosts");
    EXPECT_EQ(to_string(map.error()),
              path + ":1:1: 'host' is not an address; expected an IPv4 or IPv6 address or prefix\n" + path +
                  ":2:14: 'x' is not a domain's number; expected dom:N with N from 0 to 65535");
}

TEST(HostsMapFile, a_missing_file_is_told_from_other_failures) {
    ScratchDirectory scratch;
    auto map = load_hosts_map(scratch.path("hosts"));
    ASSERT_FALSE(map);
    EXPECT_TRUE(map.error().is_missing_file());
    EXPECT_EQ(map.error().sys_errno, ENOENT);
    EXPECT_EQ(to_string(map.error()), scratch.path("hosts") + ": No such file or directory");

    scratch.write("file", "");
    auto below_a_file = load_hosts_map(scratch.path("file/hosts"));
    ASSERT_FALSE(below_a_file);
    EXPECT_TRUE(below_a_file.error().is_missing_file());
}

TEST(HostsMapFile, only_regular_files_are_read_and_a_fifo_does_not_block) {
    ScratchDirectory scratch;
    ASSERT_EQ(::mkfifo(scratch.path("fifo").c_str(), 0600), 0);
    scratch.make_directory("directory");
    for (std::string path : {scratch.path("fifo"), scratch.path("directory"), std::string("/dev/zero")}) {
        auto map = load_hosts_map(path);
        ASSERT_FALSE(map);
        EXPECT_EQ(to_string(map.error()), path + ": not a regular file; expected a text file");
        EXPECT_FALSE(map.error().is_missing_file());
    }
}

TEST(HostsMapFile, a_file_of_16_mib_is_read_and_a_larger_one_refused) {
    ScratchDirectory scratch;
    std::string line = "#" + std::string(1022, 'x') + "\n";
    std::string text;
    for (std::size_t i = 0; i < kMaxFileBytes / line.size(); ++i) text += line;
    ASSERT_EQ(text.size(), kMaxFileBytes);
    scratch.write("hosts", text);
    EXPECT_TRUE(load_hosts_map(scratch.path("hosts")));
    scratch.write("hosts", text + "#");
    auto map = load_hosts_map(scratch.path("hosts"));
    ASSERT_FALSE(map);
    EXPECT_EQ(to_string(map.error()),
              scratch.path("hosts") + ": the file is too large; expected at most 16 MiB");
}

TEST(HostsMapFile, an_unreadable_file_is_refused_with_the_systems_words) {
    ScratchDirectory scratch;
    scratch.write("hosts", "");
    std::filesystem::permissions(scratch.path("hosts"), std::filesystem::perms::none);
    std::filesystem::permissions(scratch.path("."), std::filesystem::perms::all);
    const bool is_root = ::geteuid() == 0;  // who reads everything
    ASSERT_TRUE(!is_root || ::seteuid(65534) == 0);
    auto map = load_hosts_map(scratch.path("hosts"));
    ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
    ASSERT_FALSE(map);
    EXPECT_EQ(to_string(map.error()), scratch.path("hosts") + ": Permission denied");
}

}  // namespace
}  // namespace xylem
