// Shapes that several reports share.
#include <fmt/format.h>
#include <sys/socket.h>

#include "control/agent/agent.hpp"
#include "control/agent/names.hpp"
#include "control/agent/report.hpp"
#include "control/protocol/remote_domain.hpp"
#include "control/protocol/session_protocol.h"

namespace xylem::agent {
namespace {

const char* family_name(const SocketName& name) {
    if (name.family == AF_INET) return "inet";
    return name.family == AF_INET6 ? "inet6" : "vsock";
}

const char* state_name(LinkState state) {
    switch (state) {
        case LinkState::greeting:
            return "greeting";
        case LinkState::ready:
            return "ready";
        case LinkState::broken:
            break;
    }
    return "broken";
}

Json json_of_link(const Link& link) {
    return {{"domain", link.domain},
            {"direction", link.direction == LinkDirection::out ? "out" : "in"},
            {"state", state_name(link.state)},
            {"peer_boot_id", fmt::format("{:016x}", link.far_boot_id)},
            {"peer_pid", link.far.pid},
            {"peer_uid", link.far.uid},
            {"messages_sent", link.messages_sent},
            {"messages_received", link.messages_received},
            {"age_seconds", (now_ns() - link.since_ns) / kNsPerSecond},
            {"last_error", nullptr}};
}

Json json_of_waiting(std::uint32_t domain, const Links::BackOff& back_off) {
    return {{"domain", domain},   {"direction", "out"},
            {"state", "waiting"}, {"peer_boot_id", ""},
            {"peer_pid", 0},      {"peer_uid", 0},
            {"messages_sent", 0}, {"messages_received", 0},
            {"age_seconds", 0},   {"last_error", back_off.last_error}};
}

const char* target_name(std::uint32_t target) {
    switch (static_cast<MapTarget>(target)) {
        case MapTarget::tcp:
            return "tcp";
        case MapTarget::domain:
            return "domain";
        case MapTarget::domain_low16:
            return "domain_low16";
        case MapTarget::node:
            return "node";
        case MapTarget::unknown_guest:
            return "unknown_guest";
    }
    return "tcp";
}

SocketName address_name(const MapTableEntry& entry, int family) {
    SocketName name{};
    name.family = static_cast<std::uint32_t>(family);
    std::memcpy(name.address, entry.address, sizeof entry.address);
    return name;
}

}  // namespace

Json begin_report(const Agent& agent) {
    return {{"domain", agent.settings.domain}, {"boot_id", fmt::format("{:016x}", agent.boot_id)}};
}

Json json_of(const SocketName& name) {
    if (!is_known_family(name)) return nullptr;
    return {{"family", family_name(name)},
            {"address", address_text(name)},
            {"port", name.port},
            {"text", to_text(name)}};
}

Json json_of_links(const Agent& agent) {
    Json links = Json::array();
    agent.links.for_each([&](const Link& link) { links.push_back(json_of_link(link)); });
    for (const auto& [domain, back_off] : agent.links.back_offs()) {
        if (now_ns() < back_off.until_ns) links.push_back(json_of_waiting(domain, back_off));
    }
    return links;
}

Json json_of(const MapTableEntry& entry, int family, unsigned prefix_bits) {
    const auto target = static_cast<MapTarget>(entry.target);
    const bool names_domain = target == MapTarget::domain || target == MapTarget::node;
    Json json = {{"prefix", fmt::format("{}/{}", address_text(address_name(entry, family)), prefix_bits)},
                 {"line", entry.line},
                 {"target", target_name(entry.target)},
                 {"domain", nullptr},
                 {"node", target == MapTarget::node ? json_of(entry.node) : Json()},
                 {"guest", nullptr},
                 {"ring_size_bytes", nullptr},
                 {"spin_ns", nullptr},
                 {"over", nullptr}};
    if (names_domain) json["domain"] = domain_on_node(entry.domain);
    if (entry.ring_size_bytes != 0) json["ring_size_bytes"] = entry.ring_size_bytes;
    if (entry.spin_ns != kUnsetSpinNs) json["spin_ns"] = entry.spin_ns;
    if (target != MapTarget::node) return json;
    const NodeText order = order_of_node(node_number_of(entry.domain));
    if (order.text[0] != '\0') json["over"] = order.text;
    return json;
}

const char* kernel_transport(const SocketName& name) { return name.family == AF_VSOCK ? "vsock" : "tcp"; }

void put_reason(Json& object, Reason reason) {
    object["reason"] = reason_name(static_cast<std::uint32_t>(reason));
    object["reason_text"] = reason_text(static_cast<std::uint32_t>(reason));
}

}  // namespace xylem::agent
