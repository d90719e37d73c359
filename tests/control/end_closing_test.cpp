// Ends of which the agent cannot have the memory at that moment. Both are of its own domain here.
#include "control/agent/end_closing.hpp"

#include <fcntl.h>

#include "control/agent/slab_blocks.hpp"
#include "tests/control/guest_agent.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::agent_test {
namespace {

constexpr std::uint64_t kConnection = 77;
constexpr SlabGeometry kGeometry{{4096, 4096}};

class EndClosing : public GuestAgent {
  protected:
    EndClosing() {
        initialise_slab(*Mapping::shared(memory_->get(), kGeometry.slab_bytes(), PROT_READ | PROT_WRITE),
                        kGeometry);
        for (unsigned side = 0; side < 2; ++side) ends_[side] = add_end(side);
    }
    UniqueFd memory() const { return UniqueFd(::fcntl(memory_->get(), F_DUPFD_CLOEXEC, 0)); }
    agent::End* add_end(unsigned side) {
        const std::uint32_t own = agent_->settings.domain;
        auto end = std::make_unique<agent::End>();
        end->identity = {agent_->ends.next_id(), kConnection, side, kGeometry, own, own, {}, {}, 0, false};
        end->connecting_domain = own;
        end->slab = std::make_shared<agent::Slab>();
        end->slab->fd = memory();
        end->slab->size_bytes = kGeometry.slab_bytes();
        end->page_fd = std::move(*make_sealed_memfd("end-page", kEndPageBytes));
        end->page = std::move(*Mapping::shared(end->page_fd.get(), kEndPageBytes, PROT_READ | PROT_WRITE));
        initialise_end_page(*end->end_page(), end->identity);
        return agent_->ends.add(std::move(end));
    }
    // As a process with too many mappings sees it.
    void lose_memory_of(unsigned side) { ends_[side]->slab->fd.reset(); }
    void regain_memory_of(unsigned side) { ends_[side]->slab->fd = memory(); }
    void finish(unsigned side) { agent::finish(*agent_, ends_[side]->id(), CloseMode::orderly); }
    bool is_shown_closed(unsigned side) const {
        const auto blocks = Mapping::shared(memory_->get(), kRingsOffsetBytes, PROT_READ | PROT_WRITE);
        const std::uint32_t word = agent::block_of(*blocks, side).consumer.state.load_acquire();
        return state_of(word) == static_cast<std::uint32_t>(RxState::closed);
    }

    Result<UniqueFd> memory_ = make_sealed_memfd("slab", kGeometry.slab_bytes());
    agent::End* ends_[2];
};

TEST_F(EndClosing, an_end_that_is_closed_on_behalf_of_its_program_is_published_by_its_own_agent) {
    finish(0);
    EXPECT_TRUE(is_shown_closed(0));
    EXPECT_EQ(agent_->counters.vanished_sent, 0U);
    EXPECT_TRUE(ends_[1]->is_far_end_over);
}

TEST_F(EndClosing, of_an_end_that_could_not_be_published_the_far_agent_is_told_that_it_vanished) {
    lose_memory_of(0);
    finish(0);
    EXPECT_EQ(agent_->counters.vanished_sent, 1U);
    EXPECT_EQ(agent_->counters.vanished_received, 1U);
    EXPECT_TRUE(is_shown_closed(0));
}

TEST_F(EndClosing, that_an_end_vanished_is_shown_as_soon_as_there_is_memory_for_it) {
    lose_memory_of(0);
    lose_memory_of(1);
    finish(0);
    EXPECT_FALSE(comes_to([&] { return is_shown_closed(0); }, kNsPerSecond / 2));
    regain_memory_of(1);
    EXPECT_TRUE(comes_to([&] { return is_shown_closed(0); }));
    EXPECT_EQ(agent_->counters.vanished_received, 1U);
}

TEST_F(EndClosing, an_end_that_goes_while_its_far_end_is_to_be_shown_is_looked_at_no_more) {
    lose_memory_of(0);
    lose_memory_of(1);
    finish(0);
    finish(1);
    EXPECT_FALSE(comes_to([&] { return is_shown_closed(0) || is_shown_closed(1); }, kNsPerSecond / 2));
}

}  // namespace
}  // namespace xylem::agent_test
