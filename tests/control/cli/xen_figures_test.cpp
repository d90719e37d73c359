// What the kernel of a guest tells, out of a folder in the place of /.
#include "control/cli/xen_figures.hpp"

#include <gtest/gtest.h>

#include "tests/support/scratch_directory.hpp"

namespace xylem::cli {
namespace {

class XenFiguresTest : public testing::Test {
  protected:
    void SetUp() override {
        for (const char* folder : {"sys/hypervisor", "sys/module/xen_gntalloc/parameters", "proc/1",
                                   "proc/22", "proc/333", "proc/sys"})
            root_.make_directory(folder);
        root_.write("sys/hypervisor/type", "xen\n");
        root_.write("proc/interrupts", "");
    }
    std::optional<XenFigures> read() { return read_xen_figures(root_.path()); }

    ScratchDirectory root_;
};

TEST_F(XenFiguresTest, there_are_none_without_xen) {
    root_.write("sys/hypervisor/type", "other\n");
    EXPECT_FALSE(read());
    root_.remove("sys");
    EXPECT_FALSE(read());
}

TEST_F(XenFiguresTest, the_limit_is_gntallocs_of_now) {
    EXPECT_EQ(read()->grant_limit_pages, std::nullopt);
    root_.write("sys/module/xen_gntalloc/parameters/limit", "24576\n");
    EXPECT_EQ(read()->grant_limit_pages, 24'576U);
}

TEST_F(XenFiguresTest, a_page_counts_for_each_process_that_maps_it) {
    root_.write("proc/1/maps",
                "55d0c0000000-55d0c0021000 rw-p 00000000 00:00 0          [heap]\n"
                "7f0000000000-7f0000003000 rw-s 00000000 00:06 77         /dev/xen/gntalloc\n"
                "7f0000004000-7f0000005000 rw-s 00003000 00:06 77         /dev/xen/gntalloc\n"
                "7f0000006000-7f0000010000 rw-s 00000000 00:06 78         /dev/xen/gntdev\n");
    root_.write("proc/22/maps", "7f0000006000-7f0000010000 rw-s 00000000 00:06 78         /dev/xen/gntdev\n");
    root_.write("proc/sys/maps",
                "7f0000006000-7f0000010000 rw-s 00000000 00:06 78         /dev/xen/gntdev\n");
    const auto figures = read();
    EXPECT_EQ(figures->granted_pages_mapped, 4U);
    EXPECT_EQ(figures->others_pages_mapped, 20U);
    EXPECT_EQ(figures->processes_mapping, 2U);
    EXPECT_EQ(figures->processes_not_seen, 1U) << "333 has no maps for us";
}

TEST_F(XenFiguresTest, lines_that_make_no_sense_count_nothing) {
    root_.write("proc/1/maps",
                "/dev/xen/gntdev\n-7f /dev/xen/gntdev\n9-1 /dev/xen/gntdev\n7f000 /dev/xen/gntalloc\n");
    EXPECT_EQ(read()->others_pages_mapped, 0U);
    EXPECT_EQ(read()->granted_pages_mapped, 0U);
}

TEST_F(XenFiguresTest, event_channels_are_interrupts_of_xens_chips) {
    root_.write("proc/interrupts",
                "           CPU0       CPU1\n"
                " 48:       1000          0  xen-percpu    -virq      timer0\n"
                " 52:         10          0  xen-dyn    -event     xenbus\n"
                " 53:         10          0  xen-dyn-lateeoi    -event     evtchn:xylemd\n"
                "NMI:          0          0   Non-maskable interrupts\n"
                "HYP:       1000        900   Hypervisor callback interrupts\n");
    EXPECT_EQ(read()->event_channels, 3U);
}

}  // namespace
}  // namespace xylem::cli
