// TwoDomainBells: a table of doorbells, with the little that processes must share in an anonymous mapping.
#include "tests/support/two_domain_bells.hpp"

#include <poll.h>

#include <stdexcept>

#include "vsock-transport/local/local_kick.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::testing_support {
namespace {

class BellSleeper final : public Sleeper {
  public:
    BellSleeper(TwoDomainBells& bells, std::uint32_t domain, std::uint32_t id)
        : bells_(bells), domain_(domain), id_(id), fd_(bells.waiter_fd(domain, id)) {}
    ~BellSleeper() override { bells_.give_back_id(domain_, id_); }

    WaitToken next_token() override { return bells_.next_token(domain_, id_); }

    WaitResult sleep(std::uint64_t deadline_ns) override {
        const std::uint64_t now = now_ns();
        const timespec timeout = to_timespec(deadline_ns > now ? deadline_ns - now : 0);
        pollfd waiting{fd_, POLLIN, 0};
        const int woken = ::ppoll(&waiting, 1, &timeout, nullptr);
        if (woken < 0) return WaitResult::interrupted;
        if (woken == 0) return WaitResult::timed_out;
        drain_kicks(bells_.kind(), fd_);
        return WaitResult::ready;
    }

  private:
    TwoDomainBells& bells_;
    std::uint32_t domain_;
    std::uint32_t id_;
    int fd_;
};

BellPair make_local_pair() {
    Result<LocalBell> bell = make_local_bell();
    if (!bell) throw std::runtime_error("no socket pair for a doorbell");
    return {std::move(bell->waiter), std::move(bell->kicker)};
}

AreaPair make_local_area() {
    const Result<UniqueFd> fd = make_sealed_memfd("test-area", kDoorbellAreaBytes);
    if (!fd) throw std::runtime_error("no memory for a flag area");
    const auto map = [&fd] { return Mapping::shared(fd->get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE); };
    Result<Mapping> owners = map();
    Result<Mapping> kickers = map();
    if (!owners || !kickers) throw std::runtime_error("cannot map a flag area");
    return {std::move(*owners), std::move(*kickers)};
}

}  // namespace

TwoDomainBells::TwoDomainBells(const BellMaker& maker) : BellRinger{ring_one}, kind_(maker.kind) {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for doorbells");
    memory_ = Mapping(memory, sizeof(Shared));
    shared_ = new (memory) Shared();
    for (unsigned d = 0; d < 2; ++d) {
        for (unsigned i = 0; i < kBellsPerDomain; ++i) make_bell(maker, d, i);
    }
}

void TwoDomainBells::make_bell(const BellMaker& maker, unsigned domain_index, unsigned index) {
    BellPair bell = maker.make();
    AreaPair area = index + 1 == kSetId ? maker.make_area() : AreaPair();
    waiters_[domain_index][index] = std::move(bell.waiter);
    if (area.owners) areas_[domain_index] = std::move(area.owners);
    bells_[domain_index][index].install(kind_, std::move(bell.kicker), std::move(area.kickers), bell.port);
}

std::uint32_t TwoDomainBells::take_id(std::uint32_t domain) {
    for (std::uint32_t id = 1; id < kSetId; ++id) {
        if (place(domain, id).taken.compare_exchange(0, 1)) return id;
    }
    throw std::runtime_error("all doorbells are taken");
}

void TwoDomainBells::kick_everybody(std::uint32_t domain) {
    for (unsigned i = 0; i + 1 < kSetId; ++i) {
        bells_[domain - 1][i].ring(WaitToken(i + 1, 0, static_cast<std::uint16_t>(now_ns())));
    }
}

bool TwoDomainBells::ring_one(BellRinger& self, const EndPage&, std::uint32_t domain, WaitToken token) {
    auto& bells = static_cast<TwoDomainBells&>(self);
    const std::uint32_t id = token.doorbell_id();
    if (domain - 1 > 1 || id - 1 >= kBellsPerDomain) {
        bells.shared_->unknown.fetch_add(1);
        return false;
    }
    if (bells.shared_->withheld.load_acquire() != 0) return false;
    return bells.bells_[domain - 1][id - 1].ring(token);
}

std::unique_ptr<Sleeper> make_sleeper(TwoDomainBells& bells, std::uint32_t domain) {
    return std::make_unique<BellSleeper>(bells, domain, bells.take_id(domain));
}

std::unique_ptr<Sleeper> make_set_sleeper(TwoDomainBells& bells, std::uint32_t domain) {
    return std::make_unique<BellSleeper>(bells, domain, kSetId);
}

BellMaker local_bell_maker() { return {KickKind::local_socket, make_local_pair, make_local_area}; }

}  // namespace xylem::testing_support
