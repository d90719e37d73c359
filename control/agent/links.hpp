// The links of this domain: asking other agents, answering them. Nothing here ever blocks; every question is
// answered within kAnswerNs (kGuestAnswerNs), if only by a reason.
#pragma once

#include <map>
#include <set>

#include "control/agent/link.hpp"
#include "control/protocol/accepting.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::agent {

struct Agent;

class Links {
  public:
    static constexpr std::uint64_t kAnswerNs = kNsPerSecond;
    // Of another guest, whose processors may be others' meanwhile; TCP may not reach it at all. The guest
    // library waits a little longer (guest-lib/session.hpp).
    static constexpr std::uint64_t kGuestAnswerNs = 2 * kNsPerSecond + kNsPerSecond / 2;
    static constexpr std::size_t kMaxUnsent = 1 << 17;  // a process may die with all its ends at once
    static constexpr std::size_t kMostUnsentKicks = 1024;
    static constexpr std::size_t kMostUnsentFds = 2048;  // of one link
    static constexpr std::size_t kMaxUnnamed = 256;      // incoming ones that did not say hello yet
    static constexpr std::ptrdiff_t kMaxUnnamedOfProcess = 64;

    explicit Links(Agent& agent) : agent_(agent) {}
    ~Links();

    // Asks another domain's agent, dialling if need be. `answered` is called once, from here or later.
    template <class Message>
    void ask(std::uint32_t domain, Message message, const std::vector<int>& fds, const LinkAnswer& answered) {
        message.header.request_id = next_request();
        ask_bytes(domain, message.header.request_id, &message, sizeof message, fds, answered);
    }
    // Says that an end of ours is gone. Lost if there is no agent over there: it has forgotten the end too.
    void tell(std::uint32_t domain, const LinkEndMessage& message, bool connection_was_incoming);
    // Something that wants no answer and nobody misses where there is no link.
    template <class Message>
    void tell(std::uint32_t domain, const Message& message) {
        Reason ignored;
        if (const LinkPtr link = out_link(domain, ignored)) send(link, &message, sizeof message, {});
    }

    // The same, where not much waits to be sent: what a program may say without end.
    template <class Message>
    void tell_if_idle(std::uint32_t domain, const Message& message) {
        Reason ignored;
        const LinkPtr link = out_link(domain, ignored);
        if (link != nullptr && link->unsent.size() < kMostUnsentKicks)
            send(link, &message, sizeof message, {});
    }

    void accept_from(int listening_fd);
    // A connected socket becomes an incoming link. Null if there are too many.
    LinkPtr add_incoming(UniqueFd connected, std::shared_ptr<Pace> pace = nullptr);
    // A socket that was connected to that domain's agent becomes our link to it, and hello goes out. Null
    // where the system refuses.
    LinkPtr add_outgoing(std::uint32_t domain, UniqueFd connected);
    // Reads what there is; called when the socket is ready.
    void on_ready(const LinkPtr& link, std::uint32_t events);
    void send(const LinkPtr& link, const void* message, std::size_t size_bytes, const std::vector<int>& fds);
    void break_link(const LinkPtr& link, Reason why, const std::string& text);

    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& [domain, link] : out_) visit(*link);
        for (const auto& [domain, link] : in_) visit(*link);
    }
    struct BackOff {
        std::uint64_t until_ns = 0;
        std::uint64_t delay_ns = 0;
        std::string last_error;
    };
    const std::map<std::uint32_t, BackOff>& back_offs() const { return back_offs_; }

    // Whether the socket's peer is the process that listens at the claimed domain's place of the fabric.
    // Tests put their own in place.
    std::function<bool(std::uint32_t claimed_domain, int socket)> is_owner;

  private:
    friend struct LinkDispatch;

    std::uint32_t next_request() { return ++last_request_ != 0 ? last_request_ : ++last_request_; }
    void ask_bytes(std::uint32_t domain, std::uint32_t request_id, const void* message,
                   std::size_t size_bytes, const std::vector<int>& fds, LinkAnswer answered);
    void wait_for_answers(const LinkPtr& link, std::uint64_t delay_ns);
    void on_answers_due(const LinkPtr& link);
    LinkPtr find(LinkDirection direction, std::uint32_t domain) const;

    // link_dial.cpp
    LinkPtr out_link(std::uint32_t domain, Reason& why_not);
    void watch(const LinkPtr& link);
    void on_greeted(const LinkPtr& link, const LinkHelloMessage& hello);
    void back_off(std::uint32_t domain, const std::string& error);
    // link_incoming.cpp
    void break_unnamed_of(const std::shared_ptr<Pace>& pace);
    void on_hello(const LinkPtr& link, const LinkHelloMessage& hello);
    // links.cpp
    void read(const LinkPtr& link);
    void rest(const LinkPtr& link, std::uint64_t rest_ns);
    void flush(const LinkPtr& link);
    void note_boot_id(std::uint32_t domain, std::uint64_t boot_id);

    Agent& agent_;
    std::map<std::uint32_t, LinkPtr> out_;
    std::map<std::uint32_t, LinkPtr> in_;
    std::set<LinkPtr> unnamed_;
    std::map<std::uint32_t, BackOff> back_offs_;
    std::map<std::uint32_t, std::uint64_t> boot_ids_;  // last seen, by domain
    std::uint32_t last_request_ = 0;
    Acceptor acceptor_;
};

}  // namespace xylem::agent
