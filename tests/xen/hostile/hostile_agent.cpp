// The agent of a hostile guest: meets the agent of the other guest as agents do, and then says what it likes.
//
//   hostile_agent PEER PORT ATTACK SECONDS
//
// PORT: a listener of the peer's. For each ATTACK see below; at the end it prints `ATTACK COUNT`, how often
// it did that, and what the peer's agent answered. No agent of this guest may run beside it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>

#include "control/agent/random_id.hpp"
#include "control/agent/xen/xen_channel.hpp"
#include "control/protocol/codec.hpp"
#include "control/protocol/reason.hpp"
#include "control/protocol/session_protocol.h"
#include "tests/xen/hostile/far_ring.hpp"

namespace xylem::hostile {
namespace {

constexpr std::uint64_t kMeetingNs = 4 * kNsPerSecond;
constexpr std::uint64_t kLateNs = 60 * kNsPerSecond;

class Attacker {
  public:
    Attacker(XenStore& store, DomainId peer, std::uint16_t port, std::uint64_t seconds)
        : ring_(store, peer), port_(port), until_ns_(deadline_after(seconds * kNsPerSecond)) {}

    // Its node: rubbish, and one new life after the other.
    void nodes() {
        for (; has_time(); ++count_, ::usleep(2'000)) {
            std::string text = std::to_string(random_() % 3) + " " + std::to_string(random_()) + " 0 0";
            if (count_ % 3 == 0) text.assign(1 + random_() % 2'000, static_cast<char>(1 + random_() % 255));
            if (count_ % 3 == 1) text += " 5 1 2 3 4 5 6 7 8 9";
            ring_.write_node(text);
        }
    }
    // Its node goes and comes again, and every ring that it was granted stays mapped.
    void leaves() {
        for (; has_time() && meets(); ++count_, ::usleep(50'000)) {
            granted_rings_.insert(ring_.first_ref());
            mapped_.push_back(std::move(ring_.words()));
            ring_.remove_node();
        }
    }
    // Frames that make no sense, on one ring after the other.
    void frames() {
        const FrameHeader wrong[] = {{1U << 30, 0, kMessage}, {0, 7, kOpen}, {0, 0, 99}, {8, 1, kOpen}};
        for (; has_time() && meets(); ++count_) {
            std::uint64_t bytes[64];
            for (std::uint64_t& word : bytes) word = random_();
            if (count_ % 2 == 0) memcpy(bytes, &wrong[count_ / 2 % 4], sizeof(FrameHeader));
            ring_.send(bytes, sizeof bytes);
            for (int left = 200; left > 0 && !ring_.is_over(); --left) ::usleep(5'000);
        }
    }
    // A link after the other, without an end.
    void opens() {
        while (has_time() && meets()) {
            while (has_time() && ring_.send_frame(ring_.side(), kOpen)) ++count_;
        }
    }
    // Messages of links with a good header and anything behind it.
    void messages() {
        while (has_time() && meets()) {
            while (has_time() && say_hello_blindly() && ring_.tell(any_message())) ++count_;
        }
    }
    // Questions, of which no answer is read.
    void questions() {
        while (has_time() && meets_and_dials()) {
            while (has_time() && ring_.tell(connect(kMinRingSizeBytes, true))) ++count_;
        }
    }
    // Of doorbells and connections that do not exist.
    void rings() {
        while (has_time() && meets_and_dials()) {
            while (has_time() && ring_.tell(about_nothing())) ++count_;
        }
    }
    void storm() {
        while (has_time() && meets()) {
            for (; has_time(); ++count_) ring_.ring();
        }
    }
    // The words of the control ring.
    void words() {
        while (has_time() && meets()) {
            for (; has_time() && !ring_.is_over(); ++count_) {
                const std::size_t words = ring_.words().size_bytes() / sizeof(std::uint64_t);
                __atomic_store_n(ring_.words().as<std::uint64_t>() + random_() % words,
                                 random_() >> random_() % 64, __ATOMIC_RELEASE);
                if (count_ % 16 == 0) ring_.ring();
            }
        }
    }
    // Pages that nobody granted.
    void ungranted() {
        offer_again_and_again(kMinRingSizeBytes, [this](std::vector<GrantRef>& refs) {
            for (GrantRef& ref : refs) ref = static_cast<GrantRef>(random_());
        });
    }
    // The largest rings, all of one page.
    void huge() {
        offer_again_and_again(kMaxRingSizeBytes, [this](std::vector<GrantRef>& refs) {
            if (kept_.empty()) grant_to(refs, 1);
            refs.assign(refs.size(), kept_refs_.front());
        });
    }
    // Pages that are granted, and no more once the far agent has said yes.
    void revoked() {
        offer_again_and_again(kMinRingSizeBytes, [this](std::vector<GrantRef>& refs) {
            kept_.clear();
            grant_to(refs, refs.size());
        });
        kept_.clear();
    }
    // The end of a good connection is gone, again and again, on each of the links.
    void vanishes() {
        if (!meets_and_dials()) return;
        const LinkConnectMessage message = connect(1 << 20, false);
        std::vector<GrantRef> refs(message.slab_bytes / kPageBytes);
        grant_to(refs, refs.size());
        if (ring_.tell(message, refs)) ++reasons_[answer_to(message)];
        auto gone = make_message<LinkEndMessage>(kLinkMagic, LinkMessage::vanished, 0);
        gone.connection_id = message.connection_id;
        gone.connecting_domain = ring_.own();
        while (has_time() && ring_.send_frame(count_ % 2, kMessage, &gone, sizeof gone)) ++count_;
    }
    // What the peer's programs connect with is mapped, and not answered.
    void withholds() {
        while (has_time() && meets()) {
            while (has_time() && !ring_.is_over()) map_unanswered(ring_.receive());
        }
    }
    // Good offers without an end, which are held.
    void offers() {
        offer_again_and_again(kMinRingSizeBytes,
                              [this](std::vector<GrantRef>& refs) { grant_to(refs, refs.size()); });
    }

    void report(const char* attack) const {
        printf("%s %llu", attack, count_);
        for (const auto& [reason, count] : reasons_) printf(" %s=%u", reason_name(reason), count);
        if (!granted_rings_.empty()) printf(" rings=%zu", granted_rings_.size());
        printf("\n");
    }

  private:
    // Longer where the far agent, busy with what came before, has let nothing happen yet.
    bool has_time() const { return now_ns() < until_ns_ + (count_ == 0 ? kLateNs : 0); }
    bool meets() {
        while (has_time()) {
            if (ring_.meet(kMeetingNs)) return true;
        }
        return false;
    }
    bool meets_and_dials() {
        while (has_time()) {
            if (meets() && ring_.dial()) return true;
        }
        return false;
    }
    bool say_hello_blindly() {
        auto hello = make_message<LinkHelloMessage>(kLinkMagic, LinkMessage::hello, 1);
        hello.domain = ring_.own();
        hello.boot_id = random_();
        return ring_.send_frame(ring_.side(), kOpen) && ring_.tell(hello);
    }
    LinkConnectMessage any_message() {
        auto message = connect(kMinRingSizeBytes, true);
        auto* words = reinterpret_cast<std::uint64_t*>(&message);
        for (std::size_t i = 2; i < sizeof message / sizeof *words; ++i) words[i] = random_();
        message.header.type = static_cast<std::uint16_t>(random_() % 12);
        return message;
    }
    LinkEndMessage about_nothing() {
        auto message = make_message<LinkEndMessage>(
            kLinkMagic, random_() % 2 == 0 ? LinkMessage::ended : LinkMessage::vanished, 0);
        message.connection_id = random_();
        message.connecting_domain = random_() % 2 == 0 ? ring_.own() : ring_.peer();
        message.side = message.connecting_domain == ring_.own() ? 0 : 1;
        return message;
    }
    LinkConnectMessage connect(std::uint64_t ring_size_bytes, bool is_dry_run) {
        auto message = make_message<LinkConnectMessage>(kLinkMagic, LinkMessage::connect, 7);
        message.connection_id = ++last_connection_;
        message.source = name_of(ring_.own(), 40'000);
        message.destination = name_of(ring_.peer(), port_);
        message.ring_size_bytes[0] = message.ring_size_bytes[1] = ring_size_bytes;
        message.slab_bytes = SlabGeometry{{ring_size_bytes, ring_size_bytes}}.slab_bytes();
        message.flags = is_dry_run ? static_cast<std::uint32_t>(kConnectDryRun) : 0U;
        return message;
    }
    static SocketName name_of(DomainId domain, std::uint16_t port) {
        SocketName name{};
        const std::uint8_t address[] = {127, 44, 0, static_cast<std::uint8_t>(domain)};
        name.family = AF_INET;
        name.port = port;
        memcpy(name.address, address, sizeof address);
        return name;
    }
    void offer_again_and_again(std::uint64_t ring_size_bytes,
                               const std::function<void(std::vector<GrantRef>&)>& fill) {
        while (has_time() && meets_and_dials()) {
            while (has_time()) {
                const LinkConnectMessage message = connect(ring_size_bytes, false);
                std::vector<GrantRef> refs(message.slab_bytes / kPageBytes);
                fill(refs);
                if (!ring_.tell(message, refs)) break;
                ++reasons_[answer_to(message)];
                ++count_;
            }
        }
    }
    // Messages of the far agent's own come between.
    std::uint32_t answer_to(const LinkConnectMessage& message) {
        for (auto answer = ring_.receive(); !answer.empty(); answer = ring_.receive()) {
            LinkConnectedMessage connected{};
            if (answer.size() != sizeof connected) continue;
            memcpy(&connected, answer.data(), answer.size());
            const bool is_it = connected.connection_id == message.connection_id;
            if (is_it && connected.header.request_id == message.header.request_id) return connected.reason;
        }
        return static_cast<std::uint32_t>(Reason::agent_timeout);
    }
    void map_unanswered(const std::vector<std::byte>& message) {
        LinkHelloMessage hello{};
        if (message.size() == sizeof hello) {
            memcpy(&hello, message.data(), sizeof hello);
            hello.domain = ring_.own();
            ring_.send_frame(1 - ring_.side(), kMessage, &hello, sizeof hello);
        }
        if (message.size() <= sizeof(LinkConnectMessage)) return;
        std::vector<GrantRef> refs((message.size() - sizeof(LinkConnectMessage)) / sizeof(GrantRef));
        memcpy(refs.data(), message.data() + sizeof(LinkConnectMessage), refs.size() * sizeof(GrantRef));
        const auto pages = attach_pages(ring_.peer(), refs.data(), refs.size());
        auto mapped =
            Mapping::shared(pages ? pages->get() : -1, refs.size() * kPageBytes, PROT_READ | PROT_WRITE);
        if (mapped) mapped_.push_back(std::move(*mapped));
        if (mapped) ++count_;
    }
    void grant_to(std::vector<GrantRef>& refs, std::size_t count) {
        auto pages = grant_pages(ring_.peer(), refs.data(), count);
        if (!pages) return;  // the limit of gntalloc: then they are not granted
        kept_.push_back(std::move(*pages));
        kept_refs_.push_back(refs.front());
    }

    FarRing ring_;
    const std::uint16_t port_;
    const std::uint64_t until_ns_;
    std::mt19937_64 random_{1};
    std::uint64_t last_connection_ = agent::random_id();
    std::vector<UniqueFd> kept_;
    std::vector<GrantRef> kept_refs_;
    std::vector<Mapping> mapped_;
    std::set<GrantRef> granted_rings_;
    unsigned long long count_ = 0;
    std::map<std::uint32_t, unsigned> reasons_;
};

const std::map<std::string, void (Attacker::*)()> kAttacks = {
    {"nodes", &Attacker::nodes},         {"frames", &Attacker::frames},
    {"opens", &Attacker::opens},         {"messages", &Attacker::messages},
    {"rings", &Attacker::rings},         {"storm", &Attacker::storm},
    {"questions", &Attacker::questions}, {"words", &Attacker::words},
    {"huge", &Attacker::huge},           {"ungranted", &Attacker::ungranted},
    {"revoked", &Attacker::revoked},     {"offers", &Attacker::offers},
    {"leaves", &Attacker::leaves},       {"vanishes", &Attacker::vanishes},
    {"withholds", &Attacker::withholds}};

int run(char** words) {
    const auto attack = kAttacks.find(words[3]);
    const auto store = XenStore::open();
    if (attack == kAttacks.end() || store == nullptr) return 2;
    Attacker attacker(*store, static_cast<DomainId>(atoi(words[1])),
                      static_cast<std::uint16_t>(atoi(words[2])), static_cast<std::uint64_t>(atoi(words[4])));
    (attacker.*attack->second)();
    attacker.report(words[3]);
    return 0;
}

}  // namespace
}  // namespace xylem::hostile

int main(int argc, char** argv) {
    if (argc == 5) return xylem::hostile::run(argv);
    fprintf(stderr, "usage: hostile_agent PEER PORT ATTACK SECONDS\n");
    return 2;
}
