// Guests by name: what one agent shows another finds, and nobody takes a name that is not his alone.
#include "control/agent/xen/guest_directory.hpp"

#include <gtest/gtest.h>

#include <set>

#include "control/agent/xen/guest_search.hpp"

namespace xylem::agent {
namespace {

using Entry = GuestDirectory::Entry;
using Source = GuestDirectory::Source;

constexpr char kUuid[] = "0c8e1f9a-1111-2222-3333-0123456789ab";

TEST(GuestDirectory, an_entry_is_read_as_it_was_written) {
    const Entry entry{kUuid, "a name with blanks"};
    EXPECT_EQ(Entry::parse(entry.text()), entry);
}

TEST(GuestDirectory, nothing_else_is_believed) {
    for (const char* text : {"", "1", "1 uuid", "1 uuid ", "2 uuid name", "x uuid name"})
        EXPECT_FALSE(Entry::parse(text)) << text;
    EXPECT_FALSE(Entry::parse("1 uuid " + std::string(10'000, 'x')));
}

TEST(GuestDirectory, a_guest_is_found_by_name_and_uuid_and_again_as_another_domain) {
    GuestDirectory directory;
    EXPECT_TRUE(directory.set(3, Source::guest, Entry{kUuid, "web"}));
    EXPECT_FALSE(directory.set(3, Source::guest, Entry{kUuid, "web"}));
    EXPECT_EQ(directory.find("web"), 3);
    EXPECT_EQ(directory.find(kUuid), 3);
    EXPECT_EQ(directory.find("we"), std::nullopt);
    EXPECT_TRUE(directory.set(3, Source::guest, std::nullopt));
    EXPECT_EQ(directory.find("web"), std::nullopt);
    directory.set(8, Source::guest, Entry{kUuid, "web"});
    EXPECT_EQ(directory.find("web"), 8);
}

TEST(GuestDirectory, a_name_that_two_claim_is_nobodys) {
    GuestDirectory directory;
    directory.set(3, Source::guest, Entry{kUuid, "web"});
    directory.set(4, Source::guest, Entry{"-", "web"});
    EXPECT_EQ(directory.find("web"), std::nullopt);
    EXPECT_EQ(directory.find(kUuid), 3);
}

TEST(GuestDirectory, where_dom0_speaks_nobody_else_is_believed) {
    GuestDirectory directory;
    directory.set(4, Source::guest, Entry{"-", "web"});
    directory.set(5, Source::guest, Entry{"-", "mail"});
    directory.set(3, Source::dom0, Entry{kUuid, "web"});
    EXPECT_EQ(directory.find("web"), 3);
    EXPECT_EQ(directory.find("mail"), std::nullopt);
    EXPECT_TRUE(directory.has_dom0());
    directory.forget_dom0();
    EXPECT_FALSE(directory.has_dom0());
    EXPECT_EQ(directory.find("web"), 4);
    EXPECT_EQ(directory.find("mail"), 5);
}

TEST(GuestDirectory, knows_the_nodes_where_guests_are_told) {
    const auto place = GuestDirectory::place_of("/local/domain/17/data/xylem/self");
    ASSERT_TRUE(place);
    EXPECT_EQ(place->domain, 17);
    EXPECT_EQ(place->source, Source::guest);
    EXPECT_EQ(GuestDirectory::place_of("/tool/xylem/4")->source, Source::dom0);
    EXPECT_FALSE(GuestDirectory::place_of("/tool/xylem/4")->is_list());
    EXPECT_EQ(GuestDirectory::place_of("/tool/xylem"), GuestDirectory::kList);
    EXPECT_EQ(GuestDirectory::path_of(GuestDirectory::kList), "/tool/xylem");
    EXPECT_EQ(GuestDirectory::path_of({4, Source::dom0}), "/tool/xylem/4");
    EXPECT_EQ(GuestDirectory::path_of({17, Source::guest}), "/local/domain/17/data/xylem/self");
    for (const char* path : {"/local/domain/17", "/local/domain/x/data/xylem/self",
                             "/local/domain//data/xylem/self", "/local/domain/70000/data/xylem/self",
                             "/local/domain/1/2/data/xylem/self", "/tool", "/tool/xylem/4/5"})
        EXPECT_FALSE(GuestDirectory::place_of(path)) << path;
}

TEST(GuestSearch, begins_with_the_nearest_ids) {
    GuestSearch search(3);
    for (const int id : {3, 2, 4, 1, 5, 32'751, 6, 32'750}) EXPECT_EQ(search.next(), id);
}

TEST(GuestSearch, looks_at_each_guest_once) {
    for (const DomainId own : {1, 90, 32'751}) {
        GuestSearch search(own);
        std::set<DomainId> seen;
        while (const auto id = search.next()) EXPECT_TRUE(seen.insert(*id).second) << *id;
        EXPECT_EQ(seen.size(), 32'751U);
        EXPECT_EQ(*seen.begin(), 1);
        EXPECT_EQ(*seen.rbegin(), 32'751);
        EXPECT_EQ(search.next(), std::nullopt);
    }
}

}  // namespace
}  // namespace xylem::agent
