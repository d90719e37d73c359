// The sockets of this domain: ends and listeners from the agent's tables, with the descriptors that programs
// wrote into their session pages, and the TCP sockets that only those pages name. What stands in session and
// end pages is the programs' word: bounded, copied, shown, and that is all.
#include <fmt/format.h>

#include <map>
#include <tuple>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/end_figures.hpp"
#include "control/agent/end_keeping.hpp"
#include "control/agent/report.hpp"
#include "control/agent/session_records.hpp"

namespace xylem::agent {
namespace {

// What a session's page says of the sockets that the agent knows itself.
struct Descriptors {
    std::map<EndId, std::uint32_t> ends;
    std::map<std::uint64_t, std::uint32_t> listeners;  // by cookie
};

Json user(const Session& session, const std::uint32_t* fd) {
    Json json = {{"program", session.program}, {"pid", session.process.pid()}, {"fd", nullptr}};
    if (fd != nullptr) json["fd"] = *fd;
    return json;
}

// The caller's port is another in each use of a connection, and stands on the end page.
SocketName in_this_use(const End& end, SocketName name, SocketName EndPage::*shown) {
    if (uses_again(end) == 0) return name;
    name.port = *const_cast<const volatile std::uint32_t*>(&(end.end_page()->*shown).port) & 0xFFFF;
    return name;
}

Json blank_socket() {
    Json socket = Json::object();
    for (const char* field :
         {"peer", "end_id", "use", "peer_domain", "peer_node", "side", "tx_bytes", "rx_bytes", "ring",
          "counters", "replies", "spin_ns", "backlog", "queued", "private"}) {
        socket[field] = nullptr;
    }
    socket["users"] = Json::array();
    return socket;
}

class SocketReport {
  public:
    explicit SocketReport(const Agent& agent) : agent_(agent) {}

    Json make() {
        agent_.sessions.for_each([this](const Session& session) { read_page(session); });
        agent_.ends.for_each([this](const End& end) {
            if (!is_kept(end)) sockets_.push_back(of(end));
        });
        agent_.listeners.for_each([this](const Listener& listener) { sockets_.push_back(of(listener)); });
        for (auto& [cookie, socket] : only_in_pages_) sockets_.push_back(std::move(socket));
        for (Json& socket : sockets_) put_first_user(socket);
        std::stable_sort(sockets_.begin(), sockets_.end(), [](const Json& a, const Json& b) {
            return std::tie(a["pid"], a["fd"]) < std::tie(b["pid"], b["fd"]);
        });
        return sockets_;
    }

  private:
    void read_page(const Session& session) {
        for_each_record(session, [&](const SessionRecord& record) {
            const auto state = static_cast<RecordState>(record.state.load_relaxed());
            Descriptors& known = descriptors_[session.id];
            if (state == RecordState::ring) {
                known.ends[record.end_id] = record.fd;
            } else if (state == RecordState::listener && agent_.listeners.knows(record.cookie)) {
                known.listeners[record.cookie] = record.fd;
            } else {
                add_from_page(session, record, state);
            }
        });
    }

    // The same kernel socket may stand in several pages: fork.
    void add_from_page(const Session& session, const SessionRecord& record, RecordState state) {
        auto [place, is_new] = only_in_pages_.try_emplace(record.cookie, blank_socket());
        Json& socket = place->second;
        if (is_new) {
            const bool listens = state == RecordState::listener;
            socket["kind"] = listens ? "listener" : "connection";
            socket["transport"] = kernel_transport(listens ? record.local : record.peer);
            socket["state"] = listens ? "LISTEN" : "ESTAB";
            socket["cookie"] = record.cookie;
            socket["local"] = json_of(record.local);
            if (!listens) socket["peer"] = json_of(record.peer);
            put_reason(socket, static_cast<Reason>(record.reason));
        }
        socket["users"].push_back(user(session, &record.fd));
    }

    template <class Key>
    void add_users(Json& socket, const std::set<SessionId>& holders, Key key,
                   std::map<Key, std::uint32_t> Descriptors::*table) {
        for (const SessionId id : holders) {
            const SessionPtr session = agent_.sessions.find(id);
            if (session == nullptr) continue;
            const auto& known = descriptors_[id].*table;
            const auto fd = known.find(key);
            socket["users"].push_back(user(*session, fd == known.end() ? nullptr : &fd->second));
        }
    }

    Json of(const End& end) {
        Json socket = blank_socket();
        socket["kind"] = "connection";
        socket["transport"] = "ring";
        put_reason(socket, Reason::ring);
        socket["local"] = json_of(in_this_use(end, end.identity.local, &EndPage::local));
        socket["peer"] = json_of(in_this_use(end, end.identity.peer, &EndPage::peer));
        socket["cookie"] = end.cookie;
        socket["end_id"] = end.id();
        socket["use"] = uses_again(end);
        const std::uint32_t peer_domain = end.identity.peer_domain;
        socket["peer_domain"] = domain_on_node(peer_domain);
        if (is_remote_domain(peer_domain))
            socket["peer_node"] = numbered_node(node_number_of(peer_domain)).text;
        socket["side"] = end.identity.side == 0 ? "connecting" : "accepting";
        put_figures(socket, end);
        add_users(socket, end.holders, end.id(), &Descriptors::ends);
        return socket;
    }

    Json of(const Listener& listener) {
        Json socket = blank_socket();
        socket["kind"] = "listener";
        socket["transport"] = "ring";
        socket["state"] = "LISTEN";
        put_reason(socket, Reason::ring);
        socket["local"] = json_of(listener.local);
        socket["cookie"] = listener.cookie;
        socket["backlog"] = listener.backlog;
        socket["queued"] = listener.waiting.size();
        socket["private"] = !agent_.offers_to_others(listener);
        add_users(socket, listener.holders, listener.cookie, &Descriptors::listeners);
        return socket;
    }

    static void put_first_user(Json& socket) {
        const bool has_user = !socket["users"].empty();
        for (const char* field : {"program", "pid", "fd"}) {
            socket[field] = has_user ? socket["users"][0][field] : Json();
        }
    }

    const Agent& agent_;
    std::map<SessionId, Descriptors> descriptors_;
    std::map<std::uint64_t, Json> only_in_pages_;
    std::vector<Json> sockets_;
};

}  // namespace

Json report_sockets(const Agent& agent) {
    Json report = begin_report(agent);
    report["sockets"] = SocketReport(agent).make();
    return report;
}

}  // namespace xylem::agent
