// A link with the bridge of another node: greeting, proof, frames, over a wire. Carries what the mirrors of
// one dialler's connections have to say, both ways. Not to be destroyed within one of its own calls.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rdma-bridge/node_key.hpp"
#include "rdma-bridge/node_protocol.h"
#include "rdma-bridge/poller.hpp"
#include "rdma-bridge/wire.hpp"

namespace xylem::bridge {

struct Node;

enum class NodeLinkState : std::uint8_t { connecting, greeting, proving, ready, broken };

class NodeLink {
  public:
    struct Events {
        std::function<void(NodeLink&)> on_ready;
        // A whole frame of open and what follows but for data; `bytes` is as long as its header says.
        std::function<bool(NodeLink&, const FrameHeader& header, const std::byte* bytes)> on_frame;
        // Where the next bytes of a data frame, of which left_bytes are still to come, belong; no room:
        // nobody wants them. False: they make no sense.
        std::function<bool(NodeLink&, const DataFrame&, std::size_t left_bytes, Mirror::Room&)> on_data;
        std::function<void(NodeLink&, std::uint32_t connection, std::size_t bytes)> on_received;
        std::function<void(NodeLink&, const std::string& why)> on_broken;  // the last call
    };

    // own: this node, as hosts maps call it. to: of a dialler, the other one.
    NodeLink(Poller& poller, const NodeKey& key, std::unique_ptr<Wire> wire, Role own_role,
             const SocketName& own, const SocketName& to, Events events);
    ~NodeLink();
    NodeLink(const NodeLink&) = delete;
    NodeLink& operator=(const NodeLink&) = delete;

    // It may break over it, so its owner must have it by then.
    void begin();
    NodeLinkState state() const { return state_; }
    Role role() const { return role_; }
    const std::string& name() const { return node_; }  // the far node's; once ready
    Node* node = nullptr;                              // for whoever holds the links
    std::string host;                                  // the same: of one that the far node dialled
    Wire& wire() { return *wire_; }
    const Wire& wire() const { return *wire_; }

    // Frames go in order. Small ones are gathered until flush().
    void send(const void* frame, std::size_t size_bytes);
    void send_data(std::uint32_t connection, std::uint64_t cursor, std::uint64_t tail,
                   const Mirror::Stretch& bytes);
    void flush();
    // Without being told that something came.
    bool poll();
    bool arm() { return state_ != NodeLinkState::broken && (wire_->arm() || has_rest_); }
    // Whether more than a turn's worth of bytes waits for the wire. Something comes from the poller, or from
    // poll(), when it does not any more.
    bool is_full() const { return out_.size() - out_sent_ >= kFullBytes || wire_->is_full(); }
    // So much waits that nothing new may be asked of it: half of what breaks the link is for what it carries.
    bool is_behind() const { return out_.size() - out_sent_ >= kMostWaitingBytes / 2; }
    // has_last_words: what was flushed is worth a moment's wait, until the far node has it.
    void break_it(const std::string& why, bool has_last_words = false);

    std::uint64_t bytes_sent = 0;  // in frames and in place; for the log and the report
    std::uint64_t bytes_received = 0;

  private:
    static constexpr std::size_t kFullBytes = 256 << 10;
    static constexpr std::size_t kMostWaitingBytes = 16 << 20;  // for a node that does not take them

    void greet();
    void read();
    bool take_frames();
    bool take_frame(const FrameHeader& header, const std::byte* bytes);
    bool begin_data(const DataFrame& frame);
    bool take_data();
    bool on_greet(const GreetFrame& frame);
    bool is_meant(const SocketName& to) const;
    Nonce& own_nonce() { return role_ == Role::dialler ? meeting_.diallers : meeting_.listeners; }
    Nonce& far_nonce() { return role_ == Role::dialler ? meeting_.listeners : meeting_.diallers; }
    bool on_proof(const ProofFrame& frame);
    void be_ready();
    void refuse(const std::string& why);

    Poller& poller_;
    const NodeKey& key_;
    const std::unique_ptr<Wire> wire_;
    const Role role_;
    const SocketName own_;
    Events events_;
    NodeLinkState state_;
    Meeting meeting_;
    std::string node_;
    Poller::TimerId greeting_timer_ = 0;
    std::vector<std::byte> out_;
    std::size_t out_sent_ = 0;
    std::vector<std::byte> in_;  // what was read and not taken yet: [in_taken_, in_filled_)
    std::size_t in_taken_ = 0;
    std::size_t in_filled_ = 0;
    bool has_rest_ = false;  // whole frames may be in there, for the next turn
    // The data frame whose bytes are arriving.
    DataFrame data_{};
    std::size_t data_left_ = 0;
};

}  // namespace xylem::bridge
