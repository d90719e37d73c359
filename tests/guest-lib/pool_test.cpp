#include "guest-lib/pool.hpp"

#include <gtest/gtest.h>

#include <set>

namespace xylem {
namespace {

struct Thing {
    int value = 7;
    Thing* next_free = nullptr;
};

TEST(Pool, gives_each_taker_an_object_of_its_own) {
    Pool<Thing> pool;
    std::set<Thing*> taken;
    for (int i = 0; i < 200; ++i) taken.insert(pool.take());
    EXPECT_EQ(taken.size(), 200U);
    EXPECT_EQ(taken.count(nullptr), 0U);
}

TEST(Pool, hands_out_a_returned_object_again_and_fresh) {
    Pool<Thing> pool;
    Thing* first = pool.take();
    first->value = 1;
    pool.give(first);
    Thing* second = pool.take();
    EXPECT_EQ(second, first);
    EXPECT_EQ(second->value, 7);
}

TEST(Pool, leaves_a_returned_object_readable) {
    Pool<Thing> pool;
    Thing* thing = pool.take();
    thing->value = 3;
    pool.give(thing);
    EXPECT_EQ(thing->value, 3);
}

}  // namespace
}  // namespace xylem
