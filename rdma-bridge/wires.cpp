// Bridge: which wires there are to other nodes. RDMA where a device has the address that the bridge listens
// at; TCP beside it, for nodes that have none. Who has a device dials by it alone, unless the hosts map says
// otherwise: what should be RDMA is never something else without a word.
#include <errno.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/socket.h>

#include "control/protocol/remote_domain.hpp"
#include "rdma-bridge/bridge.hpp"
#include "rdma-bridge/node_name.hpp"
#include "rdma-bridge/tcp_wire.hpp"

namespace xylem::bridge {
namespace {

constexpr unsigned kMostCallers = 16;

}  // namespace

bool Bridge::open_verbs(std::string& error) {
    why_tcp_ = "--transport tcp";
    if (settings_.transport == Transport::tcp) return true;
    const auto address = node_address(settings_.listen);
    std::string why = "the address is none";
    if (address) verbs_ = Verbs::open(poller_, settings_.most_pinned_bytes, why);
    const auto on_caller = [this](std::unique_ptr<Wire> wire) { accept_node(std::move(wire)); };
    const auto on_gone = [this] { fail("the RDMA device has gone"); };
    if (verbs_ != nullptr && !verbs_->listen(*address, on_caller, on_gone, why)) verbs_ = nullptr;
    if (verbs_ == nullptr && settings_.transport == Transport::verbs) {
        error = fmt::format("--transport verbs: {}: {}", settings_.listen, why);
        return false;
    }
    if (verbs_ == nullptr) why_tcp_ = why;
    spdlog::info("{}: nodes are dialled over {}", settings_.listen,
                 verbs_ != nullptr ? "RDMA" : fmt::format("TCP ({})", why));
    return true;
}

bool Bridge::listen_for_nodes(std::string& error) {
    auto address = node_address(settings_.listen);
    if (!address) {
        error = fmt::format("--listen: '{}' is no address", settings_.listen);
        return false;
    }
    if (settings_.transport == Transport::verbs) return true;
    address->set_port(settings_.port);
    node_socket_.reset(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int fd = node_socket_.get();
    const int yes = 1;
    const bool listens = fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                         ::bind(fd, address->get(), address->length) == 0 && ::listen(fd, kWireBacklog) == 0;
    if (!listens) {
        error = fmt::format("{} port {}: cannot listen there: {}", settings_.listen, settings_.port,
                            ::strerrordesc_np(errno));
        return false;
    }
    poller_.add(fd, EPOLLIN, [this](std::uint32_t) { accept_nodes(); });
    return true;
}

// No more than a few a turn: data has its turn, too, and so have those whose time is over.
void Bridge::accept_nodes() {
    const auto take = [this](UniqueFd connected) {
        accept_node(std::make_unique<TcpWire>(poller_, std::move(connected), false));
    };
    acceptor_.accept_from(node_socket_.get(), take, kMostCallers);
}

// Those of the hosts map that this bridge has; without a word of it, the best one.
std::vector<Transport> Bridge::order_for(const Node& node) const {
    const std::string wanted = order_of_node(node.node_number).text;
    if (wanted.empty()) return {verbs_ != nullptr ? Transport::verbs : Transport::tcp};
    const bool has_tcp = settings_.transport != Transport::verbs;
    const std::size_t verbs = verbs_ != nullptr ? wanted.find("verbs") : wanted.npos;
    const std::size_t tcp = has_tcp ? wanted.find("tcp") : wanted.npos;
    std::vector<Transport> order;
    if (verbs != wanted.npos) order.push_back(Transport::verbs);
    if (tcp != wanted.npos) order.insert(tcp < verbs ? order.begin() : order.end(), Transport::tcp);
    return order;
}

// Null: there is none left to try, or none of them can be tried now.
std::unique_ptr<Wire> Bridge::dial_next(Node& node) {
    for (const auto order = order_for(node); node.tried < order.size();) {
        if (auto wire = dial_over(order[node.tried++], node.text)) return wire;
    }
    return nullptr;
}

std::unique_ptr<Wire> Bridge::dial_over(Transport transport, const std::string& node) {
    const auto to = node_address(node);
    if (!to) return nullptr;
    // The other node knows us by the address that we come from.
    auto from = node_address(settings_.listen);
    const bool has_from = from && from->storage.ss_family == to->storage.ss_family;
    if (has_from) from->set_port(0);
    if (transport == Transport::verbs) return has_from ? verbs_->dial(*from, *to) : nullptr;
    UniqueFd socket(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return nullptr;
    if (has_from) ::bind(socket.get(), from->get(), from->length);
    if (::connect(socket.get(), to->get(), to->length) != 0 && errno != EINPROGRESS) return nullptr;
    return std::make_unique<TcpWire>(poller_, std::move(socket), true);
}

}  // namespace xylem::bridge
