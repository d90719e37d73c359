#include "hosts-map/watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/readable.hpp"
#include "tests/support/scratch_directory.hpp"
#include "vsock-transport/base/unique_fd.hpp"

namespace xylem {
namespace {

class HostsMapWatch : public testing::Test {
  protected:
    void watch(std::string_view name) {
        auto opened = FileWatch::open(scratch_.path(name));
        ASSERT_TRUE(opened);
        watch_.emplace(std::move(*opened));
        EXPECT_FALSE(watch_->drain());
    }
    // Events are queued before the call that caused them returns; the poll is what an event loop does.
    bool changed() { return becomes_readable(watch_->fd()) && watch_->drain(); }
    bool quiet() { return !watch_->drain() && !is_readable(watch_->fd()); }

    ScratchDirectory scratch_;
    std::optional<FileWatch> watch_;
};

TEST_F(HostsMapWatch, a_file_written_in_place_is_noticed) {
    scratch_.write("hosts", "old");
    watch("hosts");
    scratch_.write("hosts", "new");
    EXPECT_TRUE(changed());
    EXPECT_TRUE(quiet());
}

TEST_F(HostsMapWatch, a_file_being_written_is_not_reported_before_it_is_closed) {
    scratch_.write("hosts", "old");
    watch("hosts");
    UniqueFd file(::open(scratch_.path("hosts").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    ASSERT_EQ(::write(file.get(), "half", 4), 4);
    EXPECT_TRUE(quiet());
    file.reset();
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, a_new_empty_file_is_not_reported_before_it_is_closed) {
    watch("hosts");
    UniqueFd file(::open(scratch_.path("hosts").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_TRUE(quiet());
    file.reset();
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, every_rename_over_the_file_is_noticed) {
    scratch_.write("hosts", "0");
    watch("hosts");
    for (int i = 1; i <= 3; ++i) {
        scratch_.replace("hosts", std::to_string(i));
        EXPECT_TRUE(changed());
    }
    EXPECT_TRUE(quiet());
}

TEST_F(HostsMapWatch, the_file_may_come_late_be_deleted_and_come_back) {
    watch("hosts");
    scratch_.write("hosts", "1");
    EXPECT_TRUE(changed());
    scratch_.remove("hosts");
    EXPECT_TRUE(changed());
    scratch_.write("hosts", "2");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, a_file_renamed_away_or_linked_in_is_noticed) {
    scratch_.write("hosts", "1");
    watch("hosts");
    scratch_.rename("hosts", "hosts.old");
    EXPECT_TRUE(changed());
    std::filesystem::create_hard_link(scratch_.path("hosts.old"), scratch_.path("hosts"));
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, a_file_made_readable_is_noticed) {
    scratch_.write("hosts", "1");
    watch("hosts");
    std::filesystem::permissions(scratch_.path("hosts"), std::filesystem::perms::owner_read);
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, other_files_in_the_directory_are_ignored) {
    scratch_.write("hosts", "1");
    watch("hosts");
    scratch_.write("hosts~", "1");
    scratch_.write("policy", "1");
    scratch_.remove("policy");
    EXPECT_TRUE(becomes_readable(watch_->fd()));
    EXPECT_FALSE(watch_->drain());
}

TEST_F(HostsMapWatch, a_symbolic_link_swapped_beside_the_file_is_noticed) {
    // How a Kubernetes config map is updated: hosts -> ..data/hosts, and ..data is replaced.
    scratch_.make_directory("1");
    scratch_.make_directory("2");
    std::filesystem::create_symlink("1", scratch_.path("..data"));
    std::filesystem::create_symlink("..data/hosts", scratch_.path("hosts"));
    watch("hosts");
    std::filesystem::create_symlink("2", scratch_.path("..data_tmp"));
    scratch_.rename("..data_tmp", "..data");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, the_directory_may_come_late) {
    watch("etc/xylem/hosts");
    scratch_.make_directory("other");
    EXPECT_TRUE(becomes_readable(watch_->fd()));
    EXPECT_FALSE(watch_->drain());
    scratch_.make_directory("etc");
    EXPECT_TRUE(changed());
    scratch_.make_directory("etc/xylem");
    EXPECT_TRUE(changed());
    scratch_.write("etc/xylem/hosts", "1");
    EXPECT_TRUE(changed());
    scratch_.write("etc/xylem/hosts", "2");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, directories_that_appear_at_once_with_the_file_are_noticed) {
    watch("etc/xylem/hosts");
    scratch_.make_directory("etc/xylem");
    scratch_.write("etc/xylem/hosts", "1");
    EXPECT_TRUE(changed());
    scratch_.replace("etc/xylem/hosts", "2");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, the_directory_may_be_deleted_and_come_back) {
    scratch_.make_directory("xylem");
    scratch_.write("xylem/hosts", "1");
    watch("xylem/hosts");
    scratch_.remove("xylem");
    EXPECT_TRUE(changed());
    scratch_.make_directory("xylem");
    EXPECT_TRUE(changed());
    scratch_.write("xylem/hosts", "2");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, the_directory_may_be_replaced_by_rename) {
    scratch_.make_directory("xylem");
    scratch_.make_directory("next");
    scratch_.write("next/hosts", "2");
    watch("xylem/hosts");
    scratch_.rename("xylem", "previous");
    EXPECT_TRUE(changed());
    scratch_.rename("next", "xylem");
    EXPECT_TRUE(changed());
    scratch_.write("previous/hosts", "1");
    EXPECT_TRUE(quiet());
    scratch_.write("xylem/hosts", "3");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, a_flood_of_events_loses_no_change) {
    scratch_.write("hosts", "0");
    watch("hosts");
    for (int i = 0; i < 20'000; ++i) {  // more than the kernel's default queue of 16384
        scratch_.write("other" + std::to_string(i % 2), "");
    }
    scratch_.write("hosts", "1");
    EXPECT_TRUE(changed());
    scratch_.write("hosts", "2");
    EXPECT_TRUE(changed());
}

TEST_F(HostsMapWatch, a_relative_path_is_watched_in_the_working_directory) {
    std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(scratch_.path(""));
    auto relative = FileWatch::open("hosts");
    scratch_.write("hosts", "1");
    bool was_changed = relative && becomes_readable(relative->fd()) && relative->drain();
    std::filesystem::current_path(before);
    EXPECT_TRUE(was_changed);
}

TEST_F(HostsMapWatch, a_path_without_a_file_name_is_refused) {
    for (std::string path : {"", "/", "/etc/"}) {
        auto opened = FileWatch::open(path);
        ASSERT_FALSE(opened) << path;
        EXPECT_EQ(opened.error().sys_errno, EINVAL);
    }
}

}  // namespace
}  // namespace xylem
