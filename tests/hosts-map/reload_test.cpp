#include "hosts-map/reload.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/readable.hpp"
#include "tests/support/scratch_directory.hpp"

namespace xylem {
namespace {

class HostsMapReload : public testing::Test {
  protected:
    void open(MissingFile missing = MissingFile::is_failure) {
        auto opened = ReloadingHostsMap::open(scratch_.path("hosts"), missing);
        ASSERT_TRUE(opened) << to_string(opened.error());
        map_.emplace(std::move(*opened));
    }
    // What an event loop does once the descriptor is readable.
    ReloadResult next() {
        EXPECT_TRUE(becomes_readable(map_->fd()));
        return map_->reload_if_changed();
    }
    // The domain of an address in the map in force, or -1.
    int domain_of(std::string_view address) const {
        auto match = map_->current()->find(*Address::parse(address));
        return match ? static_cast<int>(match->place.domain) : -1;
    }

    ScratchDirectory scratch_;
    std::optional<ReloadingHostsMap> map_;
};

TEST_F(HostsMapReload, a_map_is_loaded_at_once_and_stays_while_nothing_changes) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    EXPECT_EQ(domain_of("10.0.0.2"), 2);
    EXPECT_TRUE(map_->is_from_file());
    EXPECT_EQ(map_->reload_if_changed().status, ReloadStatus::unchanged);
}

TEST_F(HostsMapReload, a_file_renamed_over_is_loaded) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    scratch_.replace("hosts", "10.0.0.2 dom:3\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(domain_of("10.0.0.2"), 3);
    scratch_.replace("hosts", "10.0.0.2 dom:4\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(domain_of("10.0.0.2"), 4);
}

TEST_F(HostsMapReload, a_file_written_in_place_is_loaded) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    scratch_.write("hosts", "10.0.0.2 dom:3\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(domain_of("10.0.0.2"), 3);
}

TEST_F(HostsMapReload, who_holds_the_old_map_keeps_it) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    std::shared_ptr<const HostsMap> old = map_->current();
    scratch_.replace("hosts", "10.0.0.2 dom:3\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(old->find(*Address::parse("10.0.0.2"))->place.domain, 2U);
}

TEST_F(HostsMapReload, a_bad_file_keeps_the_old_map_and_says_all_that_is_wrong) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    std::shared_ptr<const HostsMap> old = map_->current();
    scratch_.replace("hosts", "10.0.0.2 dom:3\nx\ny\n");
    ReloadResult result = next();
    EXPECT_EQ(result.status, ReloadStatus::failed);
    EXPECT_EQ(result.failure.diagnostics.size(), 2U);
    EXPECT_EQ(result.failure.path, scratch_.path("hosts"));
    EXPECT_EQ(map_->current(), old);
}

TEST_F(HostsMapReload, a_bad_file_mended_is_reported_even_if_the_text_is_the_old_one) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    scratch_.replace("hosts", "bad\n");
    EXPECT_EQ(next().status, ReloadStatus::failed);
    scratch_.replace("hosts", "10.0.0.2 dom:2\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(domain_of("10.0.0.2"), 2);
}

TEST_F(HostsMapReload, the_same_text_again_is_no_change) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open();
    std::shared_ptr<const HostsMap> old = map_->current();
    scratch_.replace("hosts", "10.0.0.2 dom:2\n");
    EXPECT_EQ(next().status, ReloadStatus::unchanged);
    EXPECT_EQ(map_->current(), old);
}

TEST_F(HostsMapReload, a_named_file_that_is_deleted_keeps_the_old_map_until_it_comes_back) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open(MissingFile::is_failure);
    scratch_.remove("hosts");
    ReloadResult result = next();
    EXPECT_EQ(result.status, ReloadStatus::failed);
    EXPECT_EQ(to_string(result.failure), scratch_.path("hosts") + ": No such file or directory");
    EXPECT_EQ(domain_of("10.0.0.2"), 2);
    scratch_.write("hosts", "10.0.0.2 dom:3\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_EQ(domain_of("10.0.0.2"), 3);
}

TEST_F(HostsMapReload, without_a_default_file_zero_configuration_is_in_force_until_one_comes) {
    open(MissingFile::means_zero_configuration);
    EXPECT_FALSE(map_->is_from_file());
    EXPECT_EQ(domain_of("127.44.1.2"), 258);
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_TRUE(map_->is_from_file());
    EXPECT_EQ(domain_of("127.44.1.2"), -1);
    EXPECT_EQ(domain_of("10.0.0.2"), 2);
}

TEST_F(HostsMapReload, a_default_file_that_is_deleted_gives_way_to_zero_configuration) {
    scratch_.write("hosts", "10.0.0.2 dom:2\n");
    open(MissingFile::means_zero_configuration);
    scratch_.remove("hosts");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_FALSE(map_->is_from_file());
    EXPECT_EQ(domain_of("127.44.1.2"), 258);
    EXPECT_EQ(domain_of("10.0.0.2"), -1);
}

TEST_F(HostsMapReload, an_empty_file_is_a_map_of_nothing_and_not_zero_configuration) {
    open(MissingFile::means_zero_configuration);
    scratch_.write("hosts", "");
    EXPECT_EQ(next().status, ReloadStatus::reloaded);
    EXPECT_TRUE(map_->is_from_file());
    EXPECT_EQ(domain_of("127.44.1.2"), -1);
}

TEST_F(HostsMapReload, a_bad_file_at_the_start_is_a_failure_whatever_missing_means) {
    scratch_.write("hosts", "bad\n");
    auto opened = ReloadingHostsMap::open(scratch_.path("hosts"), MissingFile::means_zero_configuration);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().diagnostics.size(), 1U);
}

TEST_F(HostsMapReload, a_named_file_that_is_missing_at_the_start_is_a_failure) {
    auto opened = ReloadingHostsMap::open(scratch_.path("hosts"), MissingFile::is_failure);
    ASSERT_FALSE(opened);
    EXPECT_TRUE(opened.error().is_missing_file());
}

TEST_F(HostsMapReload, a_path_that_cannot_be_watched_is_a_failure) {
    auto opened = ReloadingHostsMap::open("", MissingFile::is_failure);
    ASSERT_FALSE(opened);
    EXPECT_EQ(to_string(opened.error()), ": cannot watch it: Invalid argument");
}

}  // namespace
}  // namespace xylem
