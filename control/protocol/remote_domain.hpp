// Domains of other nodes, as this node numbers them. Agents, programs and the bridge here call domain D of a
// node by one number, above all that a domain of this node can have: the node's number and D. A node gets its
// number from whoever names it first: a link <fabric>/nodes/NUMBER that says which node that is. It keeps it
// as long as the fabric directory lives, and no other node has a use for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "control/protocol/runtime_paths.hpp"
#include "vsock-transport/base/socket_name.h"

namespace xylem {

inline constexpr std::uint32_t kFirstRemoteDomain = 1U << 16;
inline constexpr std::uint32_t kMostNodes = 4096;
inline constexpr std::size_t kNodeTextBytes = 64;

constexpr bool is_remote_domain(std::uint32_t domain) { return domain >= kFirstRemoteDomain; }
constexpr std::uint32_t remote_domain(std::uint32_t node_number, std::uint32_t domain) {
    return node_number << 16 | domain;
}
constexpr std::uint32_t node_number_of(std::uint32_t remote) { return remote >> 16; }
constexpr std::uint32_t domain_on_node(std::uint32_t remote) { return remote & 0xFFFF; }

struct NodeText {
    char text[kNodeTextBytes];  // empty if there is none
};

// "192.168.7.2", "192.168.7.2:7000", "[fd00::2]:7000": an address, and the port where it is not the usual one
// (0).
NodeText node_text(const SocketName& node);
// 1 and up, or 0 if it cannot be numbered: the fabric is not there, may not be written to, or is full, or its
// folder of nodes is somebody's who is neither root, nor this user, nor the fabric's owner.
std::uint32_t number_of_node(const char* text);
// Which node that is.
NodeText numbered_node(std::uint32_t number);
// Over what hosts maps want it to be reached, as their option has it ("verbs,tcp"); empty: the bridge may
// choose. Kept beside the number; who says it last is right. A failure leaves it as it was.
NodeText order_of_node(std::uint32_t number);
void set_order_of_node(std::uint32_t number, const char* order);
// This node, as its bridge says that hosts maps call it; empty as long as none has said so.
NodeText own_node();
bool name_own_node(const char* text);
RuntimePath own_node_path();

}  // namespace xylem
