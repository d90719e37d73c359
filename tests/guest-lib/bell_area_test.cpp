#include "guest-lib/bell_area.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/wakeup/doorbell_layout.h"

namespace xylem {
namespace {

bool is_rung(const BellArea& area) {
    pollfd item{area.waiter.get(), POLLIN, 0};
    return ::poll(&item, 1, 0) == 1;
}

// A peer may kick when its flag is up: late, or to keep the owner busy.
TEST(bell_area, calms_down_with_no_kick_left_even_if_no_flag_was_taken_down) {
    BellArea area;
    Result<LocalBell> pair = make_local_bell();
    ASSERT_TRUE(pair);
    area.waiter = std::move(pair->waiter);
    area.kicker = std::move(pair->kicker);
    Result<Mapping> flags = Mapping::anonymous(kDoorbellAreaBytes);
    ASSERT_TRUE(flags);
    area.mapping = std::move(*flags);
    area.set_sleeping(true);
    area.kick();
    ASSERT_TRUE(is_rung(area));
    area.calm_down();
    EXPECT_FALSE(is_rung(area));
}

}  // namespace
}  // namespace xylem
