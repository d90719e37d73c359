#include "control/agent/options.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <vector>

#include "control/agent/size_text.hpp"
#include "tests/control/agent_process.hpp"

namespace xylem::agent {
namespace {

using namespace agent_test;

class AgentOptions : public testing::Test {
  protected:
    AgentOptions() {
        ::unsetenv("XYLEM_DOMAIN");
        ::unsetenv("XYLEM_HOSTS");
    }
    ~AgentOptions() override {
        ::unsetenv("XYLEM_DOMAIN");
        ::unsetenv("XYLEM_HOSTS");
    }
    std::optional<Options> read(std::vector<const char*> words) {
        words.insert(words.begin(), "xylemd");
        words.push_back("--config");
        words.push_back("/dev/null");
        return read_options(static_cast<int>(words.size()), words.data(), exit_code_);
    }
    std::string mistake(std::vector<const char*> words) {
        exit_code_ = 0;
        testing::internal::CaptureStderr();
        EXPECT_FALSE(read(std::move(words)));
        EXPECT_EQ(exit_code_, kExitUsage);
        return testing::internal::GetCapturedStderr();
    }
    int exit_code_ = -1;
};

TEST_F(AgentOptions, without_any_the_defaults_hold) {
    const auto options = read({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->settings.domain, 1U);
    EXPECT_FALSE(options->settings.hosts_file_is_named);
    EXPECT_EQ(options->settings.ring_size_bytes, kDefaultRingSizeBytes);
    EXPECT_EQ(options->settings.max_ends, 16384U);
    EXPECT_EQ(options->settings.max_channels, 768U);
    EXPECT_FALSE(options->settings.idle_exit_ns);
    EXPECT_TRUE(options->settings.metrics.empty());
}

TEST_F(AgentOptions, the_command_line_beats_the_environment) {
    ::setenv("XYLEM_DOMAIN", "7", 1);
    ::setenv("XYLEM_HOSTS", "/from/environment", 1);
    EXPECT_EQ(read({})->settings.domain, 7U);
    EXPECT_EQ(read({})->settings.hosts_file, "/from/environment");
    EXPECT_TRUE(read({})->settings.hosts_file_is_named);
    EXPECT_EQ(read({"--domain", "8"})->settings.domain, 8U);
    EXPECT_EQ(read({"--hosts", "/named"})->settings.hosts_file, "/named");
}

TEST_F(AgentOptions, sizes_and_times_have_units) {
    const auto options = read({"--ring-size", "1M", "--spin", "20", "--max-memory", "2G", "--idle-exit", "3",
                               "--max-channels", "0"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->settings.ring_size_bytes, 1U << 20);
    EXPECT_EQ(options->settings.spin_ns, 20'000U);
    EXPECT_EQ(options->settings.max_memory_bytes, 2ULL << 30);
    EXPECT_EQ(options->settings.idle_exit_ns, 3 * kNsPerSecond);
    EXPECT_EQ(options->settings.max_channels, 0U);
}

TEST_F(AgentOptions, mistakes_say_what_would_be_right) {
    EXPECT_NE(mistake({"--domain", "x"}).find("from 0 to 65535"), std::string::npos);
    EXPECT_NE(mistake({"--domain", "65536"}).find("65536"), std::string::npos);
    EXPECT_NE(mistake({"--ring-size", "100K"}).find("power of two"), std::string::npos);
    EXPECT_NE(mistake({"--ring-size", "1K"}).find("4096"), std::string::npos);
    EXPECT_NE(mistake({"--log-level", "loud"}).find("debug"), std::string::npos);
    EXPECT_NE(mistake({"--no-such"}).find("no-such"), std::string::npos);
    EXPECT_NE(mistake({"stray"}).find("positional"), std::string::npos);
    EXPECT_NE(mistake({"--metrics", "localhost:9464"}).find("numeric address"), std::string::npos);
    EXPECT_NE(mistake({"--runtime-dir", "relative"}).find("absolute"), std::string::npos);
    ::setenv("XYLEM_DOMAIN", "junk", 1);
    EXPECT_NE(mistake({}).find("XYLEM_DOMAIN"), std::string::npos);
}

TEST_F(AgentOptions, a_configuration_file_has_the_same_names_and_the_command_line_beats_it) {
    RuntimeScratch scratch;
    const std::string path = scratch.write("conf", "domain = 9\nspin = 0\n# comment\n");
    const char* both[] = {"xylemd", "--config", path.c_str(), "--spin", "5"};
    const auto options = read_options(5, both, exit_code_);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->settings.domain, 9U);
    EXPECT_EQ(options->settings.spin_ns, 5'000U);
    scratch.write("conf", "domian = 9\n");
    testing::internal::CaptureStderr();
    EXPECT_FALSE(read_options(3, both, exit_code_));
    EXPECT_NE(testing::internal::GetCapturedStderr().find("domian"), std::string::npos);
    EXPECT_EQ(exit_code_, kExitUsage);
}

TEST(SizeText, takes_digits_and_one_suffix) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("4K"), 4096U);
    EXPECT_EQ(parse_size("64G"), 64ULL << 30);
    EXPECT_EQ(parse_size("18446744073709551615"), UINT64_MAX);
    for (const char* wrong :
         {"", "K", "4k", "4KB", "-1", " 1", "1 ", "1.5M", "18446744073709551616", "99999999999G"}) {
        EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
    }
}

}  // namespace
}  // namespace xylem::agent
