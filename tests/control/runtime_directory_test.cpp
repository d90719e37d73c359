#include "control/agent/runtime_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/control/agent_process.hpp"

namespace xylem::agent {
namespace {

using namespace agent_test;

class AgentRuntimeDirectory : public testing::Test {
  protected:
    bool is_safe(const std::string& path, bool is_private) {
        error_.clear();
        return make_safe_directory(path, is_private, error_);
    }
    RuntimeScratch scratch_;
    std::string error_;
};

TEST_F(AgentRuntimeDirectory, missing_directories_are_made_private) {
    EXPECT_TRUE(is_safe(scratch_.path("a/b/c"), true)) << error_;
    struct stat status {};
    ASSERT_EQ(::stat(scratch_.path("a/b/c").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(AgentRuntimeDirectory, a_symbolic_link_or_a_file_in_its_place_is_refused) {
    ASSERT_TRUE(is_safe(scratch_.path("real"), true));
    std::filesystem::create_symlink(scratch_.path("real"), scratch_.path("link"));
    EXPECT_FALSE(is_safe(scratch_.path("link"), true));
    EXPECT_NE(error_.find(scratch_.path("link")), std::string::npos);
    scratch_.write("file", "");
    EXPECT_FALSE(is_safe(scratch_.path("file"), true));
}

TEST_F(AgentRuntimeDirectory, one_that_others_can_write_to_or_own_is_refused) {
    ASSERT_TRUE(is_safe(scratch_.path("open"), true));
    ASSERT_EQ(::chmod(scratch_.path("open").c_str(), 0755), 0);
    EXPECT_FALSE(is_safe(scratch_.path("open"), true));
    EXPECT_TRUE(is_safe(scratch_.path("open"), false)) << "a fabric may be looked at";
    ASSERT_EQ(::chmod(scratch_.path("open").c_str(), 0750), 0);
    EXPECT_FALSE(is_safe(scratch_.path("open"), true));
    ASSERT_EQ(::chmod(scratch_.path("open").c_str(), 0710), 0);
    EXPECT_TRUE(is_safe(scratch_.path("open"), true)) << "xylemd --group";
    ASSERT_EQ(::chmod(scratch_.path("open").c_str(), 0777), 0);
    EXPECT_FALSE(is_safe(scratch_.path("open"), false));
    ASSERT_EQ(::chmod(scratch_.path("open").c_str(), 01777), 0);
    EXPECT_TRUE(is_safe(scratch_.path("open"), false)) << "the sticky bit protects our socket";
    if (::geteuid() == 0) {
        ASSERT_TRUE(is_safe(scratch_.path("theirs"), true));
        ASSERT_EQ(::chown(scratch_.path("theirs").c_str(), 12345, 12345), 0);
        EXPECT_FALSE(is_safe(scratch_.path("theirs"), true));
        EXPECT_FALSE(is_safe(scratch_.path("theirs"), false));
    }
}

TEST_F(AgentRuntimeDirectory, a_second_agent_of_a_domain_ends_with_3_and_disturbs_nothing) {
    AgentProcess first(5);
    ASSERT_TRUE(first.is_serving());
    AgentProcess second(5);
    EXPECT_EQ(second.wait(), kExitTaken);
    EXPECT_TRUE(dial(agent_socket(5).text));
    EXPECT_TRUE(dial(link_socket(5).text));
}

TEST_F(AgentRuntimeDirectory, nor_does_one_with_another_runtime_directory_and_the_same_fabric) {
    AgentProcess first(5);
    ASSERT_TRUE(first.is_serving());
    const std::string fabric = fabric_directory().text;
    AgentProcess second(5, [&](Options& options) {
        options.runtime_dir = scratch_.path("other");
        options.fabric_dir = fabric;
    });
    EXPECT_EQ(second.wait(), kExitTaken);
    EXPECT_TRUE(dial(link_socket(5).text));
}

TEST_F(AgentRuntimeDirectory, an_agent_that_is_told_to_stop_removes_its_sockets) {
    AgentProcess agent(5);
    ASSERT_TRUE(agent.is_serving());
    EXPECT_EQ(agent.stop(), 0);
    EXPECT_FALSE(std::filesystem::exists(agent_socket(5).text));
    EXPECT_FALSE(std::filesystem::exists(link_socket(5).text));
}

TEST_F(AgentRuntimeDirectory, an_agent_that_was_not_told_its_domain_is_found_without_naming_it) {
    const auto named = [](Options& options) { options.settings.domain_is_named = true; };
    AgentProcess other(5, named);
    ASSERT_TRUE(other.is_serving());
    EXPECT_EQ(domain_by_default(), kDefaultDomain);
    AgentProcess first(6);
    ASSERT_TRUE(first.is_serving());
    EXPECT_TRUE(eventually([] { return domain_by_default() == 6; }));  // the link comes after the sockets
    AgentProcess later(7);
    ASSERT_TRUE(later.is_serving());
    EXPECT_TRUE(eventually([] { return domain_by_default() == 7; }));
    EXPECT_TRUE(dial(default_agent_socket().text));
}

TEST_F(AgentRuntimeDirectory, of_one_without_room_for_a_path_nothing_lies_at_the_root) {
    ::setenv("XYLEM_RUNTIME_DIR", scratch_.path(std::string(120, 'x')).c_str(), 1);
    for (const RuntimePath& path :
         {runtime_directory(), fabric_directory(), default_link(), default_door(), default_agent_socket(),
          domain_directory(5), agent_door(5), agent_socket(5), link_socket(5), bridge_socket(),
          bridge_report_socket()}) {
        EXPECT_STREQ(path.text, "");
    }
}

TEST_F(AgentRuntimeDirectory, an_agent_whose_paths_are_too_long_makes_nothing) {
    const std::string path = scratch_.path(std::string(80, 'x'));
    ::setenv("XYLEM_FABRIC_DIR", path.c_str(), 1);
    RuntimeDirectory directory;
    for (const char* variable : {"XYLEM_FABRIC_DIR", "XYLEM_RUNTIME_DIR"}) {
        ::setenv(variable, scratch_.path(std::string(120, 'x')).c_str(), 1);
        EXPECT_EQ(directory.claim(5, "", error_), Claim::failed);
        EXPECT_NE(error_.find(variable), std::string::npos) << error_;
        EXPECT_TRUE(std::filesystem::is_empty(scratch_.path("")));
        ::unsetenv(variable);
    }
}

TEST_F(AgentRuntimeDirectory, a_path_too_long_for_a_socket_is_a_failure_with_advice) {
    const std::string path = scratch_.path(std::string(80, 'x'));
    AgentProcess agent(5, [&](Options& options) { options.runtime_dir = path; });
    EXPECT_EQ(agent.wait(), 1);
}

}  // namespace
}  // namespace xylem::agent
