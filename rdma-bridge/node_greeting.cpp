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
    greeting.listen_port = listen_port_;
    std::copy(own_nonce_.begin(), own_nonce_.end(), greeting.nonce);
    send(&greeting, sizeof greeting);
    flush();
}

bool NodeLink::on_greet(const GreetFrame& frame) {
    if (frame.magic != kNodeMagic) return false;
    if (frame.version != kNodeVersion) {
        refuse(fmt::format("it speaks version {} of the protocol, this one {}", frame.version, kNodeVersion));
        return true;
    }
    std::copy(std::begin(frame.nonce), std::end(frame.nonce), far_nonce_.begin());
    SocketName name = wire_->peer_name();
    name.port = frame.listen_port == kNodePort ? 0 : frame.listen_port;
    node_ = node_text(name).text;
    state_ = NodeLinkState::proving;
    const bool is_dialler = role_ == Role::dialler;
    const Proof own =
        key_.proof(role_, is_dialler ? own_nonce_ : far_nonce_, is_dialler ? far_nonce_ : own_nonce_);
    auto proof = make_frame<ProofFrame>(FrameKind::proof);
    std::copy(own.begin(), own.end(), proof.proof);
    send(&proof, sizeof proof);
    flush();
    return true;
}

bool NodeLink::on_proof(const ProofFrame& frame) {
    const bool is_dialler = role_ == Role::dialler;
    Proof shown{};
    std::copy(std::begin(frame.proof), std::end(frame.proof), shown.begin());
    const bool is_right =
        key_.is_proof(shown, is_dialler ? Role::listener : Role::dialler,
                      is_dialler ? own_nonce_ : far_nonce_, is_dialler ? far_nonce_ : own_nonce_);
    if (!is_right) {
        refuse("it does not have the key that the nodes share");
        return true;
    }
    state_ = NodeLinkState::ready;
    wire_->set_proved();
    events_.on_ready(*this);
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
