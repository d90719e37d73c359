// What an agent concludes from HolderBytes: whether a process of the far side may still have the slab.
#include "control/agent/slab_blocks.hpp"
#include "tests/vsock-transport/stream/scripted_pair.hpp"

namespace xylem {
namespace {

class HolderBytesOfAPair : public ScriptedPair {
  protected:
    bool is_held(unsigned side) const { return may_be_held(agent::holders_of(slab_, side)); }
    // As the kernel does once a mapping is gone.
    void unmap(unsigned side, std::uint32_t holder) {
        agent::holders_of(slab_, side).bytes[holder].store_release(0);
    }
};

TEST_F(HolderBytesOfAPair, a_side_that_nobody_has_mapped_yet_may_be_held) {
    EXPECT_TRUE(is_held(0));
    EXPECT_TRUE(is_held(1));
}

TEST_F(HolderBytesOfAPair, each_process_counts_until_the_last_is_gone) {
    near_.say_held(kGrantingHolder);
    far_.say_held(5);
    far_.say_held(kHolders - 1);
    unmap(1, 5);
    EXPECT_TRUE(is_held(1));
    unmap(1, kHolders - 1);
    EXPECT_FALSE(is_held(1));
    EXPECT_TRUE(near_.is_far_side_gone());
    EXPECT_TRUE(is_held(0));
    EXPECT_FALSE(far_.is_far_side_gone());
}

TEST_F(HolderBytesOfAPair, a_process_without_a_number_says_nothing) {
    far_.say_held(0);
    far_.say_held(kHolders);
    EXPECT_TRUE(is_held(1));
    far_.say_held(7);
    unmap(1, 7);
    EXPECT_FALSE(is_held(1));
}

}  // namespace
}  // namespace xylem
