// NodeLink, until it is ready. A node is called by the address that it comes from and the port at which it
// says it listens; that it is one of ours shows the key.
#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/node_link.hpp"

namespace xylem::bridge {

void NodeLink::greet() {
    state_ = NodeLinkState::greeting;
    auto greeting = make_frame<GreetFrame>(FrameKind::greet);
    greeting.magic = kNodeMagic;
    greeting.version = kNodeVersion;
    greeting.listen_port = own_.port == 0 ? kNodePort : static_cast<std::uint16_t>(own_.port);
    std::copy(own_nonce().begin(), own_nonce().end(), greeting.nonce);
    if (role_ == Role::dialler) greeting.to = meeting_.to;
    send(&greeting, sizeof greeting);
    flush();
}

bool NodeLink::on_greet(const GreetFrame& frame) {
    if (frame.magic != kNodeMagic) return false;
    if (frame.version != kNodeVersion) {
        refuse(fmt::format("it speaks version {} of the protocol, this one {}", frame.version, kNodeVersion));
        return true;
    }
    if (role_ == Role::listener && !is_meant(frame.to)) {
        refuse(fmt::format("it means {}, and this is {}; if both are, say --name", node_text(frame.to).text,
                           node_text(own_).text));
        return true;
    }
    if (role_ == Role::listener) meeting_.to = frame.to;
    std::copy(std::begin(frame.nonce), std::end(frame.nonce), far_nonce().begin());
    SocketName name = wire_->peer_name();
    name.port = frame.listen_port == kNodePort ? 0 : frame.listen_port;
    node_ = node_text(name).text;
    state_ = NodeLinkState::proving;
    const Proof own = key_.proof(role_, meeting_);
    auto proof = make_frame<ProofFrame>(FrameKind::proof);
    std::copy(own.begin(), own.end(), proof.proof);
    send(&proof, sizeof proof);
    flush();
    return true;
}

// By this node's name, or by the address that was dialled: of several one is in the map of whoever dials.
bool NodeLink::is_meant(const SocketName& to) const {
    const auto is = [&to](const SocketName& name) { return ::memcmp(&name, &to, sizeof to) == 0; };
    return is(own_) || is(wire_->own_name());
}

bool NodeLink::on_proof(const ProofFrame& frame) {
    const Role other = role_ == Role::dialler ? Role::listener : Role::dialler;
    Proof shown{};
    std::copy(std::begin(frame.proof), std::end(frame.proof), shown.begin());
    if (!key_.is_proof(shown, other, meeting_)) {
        refuse("it does not have the key that the nodes share");
        return true;
    }
    be_ready();
    return true;
}

void NodeLink::refuse(const std::string& why) {
    auto frame = make_frame<RefusedFrame>(FrameKind::refused);
    ::strncpy(frame.words, why.c_str(), kMostWords);
    send(&frame, sizeof frame);
    flush();
    break_it(why, true);
}

}  // namespace xylem::bridge
