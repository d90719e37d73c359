// The bridge of a node: links with the agents here and with the bridges of other nodes, and the connections
// that it carries between them. One thread. opening.cpp, carrying.cpp, resuming.cpp, returning.cpp and
// ending.cpp follow a connection through its life.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/protocol/accepting.hpp"
#include "control/protocol/reason.hpp"
#include "rdma-bridge/connection.hpp"
#include "rdma-bridge/program_bells.hpp"
#include "rdma-bridge/verbs.hpp"
#include "vsock-transport/wakeup/wait_policy.hpp"

namespace xylem::bridge {

// What carries to other nodes. automatic: RDMA where a device has the address, which is said.
enum class Transport : std::uint8_t { automatic, verbs, tcp };

struct Settings {
    std::string listen;  // an address of this node, as the hosts maps of others name it
    std::uint16_t port = kNodePort;
    std::string name;  // as hosts maps call this node; empty: as `listen` says
    std::string key_file = "/etc/xylem/node.key";
    std::string log_level = "info";
    std::uint64_t spin_ns = 20'000;  // before a sleep, at most
    Transport transport = Transport::automatic;
    std::uint64_t most_pinned_bytes = 256 << 20;  // for devices to write into and read from
    std::uint64_t patience_ns = 10'000'000'000;   // with a node whose link is lost
    std::uint64_t farewell_ns = 60'000'000'000;   // for a node to say that it has let go of a connection
    // There are descriptors for so many. A domain gets a quarter of them, and a node half.
    std::size_t most_connections = 1 << 16;
};

class Bridge {
  public:
    Bridge(Poller& poller, NodeKey key, Settings settings);
    ~Bridge();
    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;

    // Takes its place in the fabric directory and listens to nodes. Else `error` says why.
    bool begin(std::string& error);
    // Until stop(). False: it cannot go on, as was said; connections wait for the next bridge.
    bool run();
    void stop() { is_stopped_ = true; }
    // One turn of run(), for whoever has a loop of his own. Says whether there was anything to do.
    bool turn();
    // Ends of programs that are gone, though no agent said so. run() looks once a second, and sooner if some
    // are left, as is said.
    bool look_for_left_behind();
    std::size_t connection_count() const { return connections_.size(); }

  private:
    // bridge.cpp
    SocketName own_name() const;
    static UniqueFd listen_at(const char* path, int kind, std::string& error);
    void fail(const char* why);
    bool has_come(WaitPolicy& policy);
    void sleep();
    template <class Call>
    void for_each_link(Call call);
    bool collect(bool full_scan);

    // agents.cpp
    void accept_agents();
    bool may_dial(const Pair& pair) const;
    AgentLink::Events agent_events();
    void on_agent_message(AgentLink& link, Received& message);
    void on_agent_broken(AgentLink& link);
    AgentLink* out_link(const Pair& pair);
    AgentLink* any_link(const Pair& pair);
    void on_bell_find(AgentLink& link, const Received& message);
    void on_ring(AgentLink& link, const Received& message);

    // report.cpp
    bool serve_reports(std::string& error);
    void on_reader();
    nlohmann::json report() const;

    // wires.cpp
    bool open_verbs(std::string& error);
    bool listen_for_nodes(std::string& error);
    void accept_nodes();
    std::vector<Transport> order_for(const Node& node) const;
    std::unique_ptr<Wire> dial_next(Node& node);
    std::unique_ptr<Wire> dial_over(Transport transport, const std::string& node);

    // nodes.cpp
    bool make_place_for(const std::string& host);
    void accept_node(std::unique_ptr<Wire> wire);
    NodeLink::Events node_events();
    static Node* known_node(std::map<std::string, Node>& nodes, const Pair& pair);
    Node* node_for(const Pair& pair);
    Reason why_no_node(const Pair& pair);
    bool dial(Node& node);
    bool dial_rest(Node& node);
    void dial_again(Node& node);
    void dial_later(Node& node, std::uint64_t delay_ns);
    void back_off(Node& node);
    bool on_frame(Node& node, const FrameHeader& header, const std::byte* bytes);
    bool may_have_name(const std::string& name) const;
    void on_node_ready(NodeLink& link);
    void on_node_broken(NodeLink& link, const std::string& why);

    // resuming.cpp
    void cut(Node& node);
    void resume_all(Node& node);
    void on_resume(Node& node, const ResumeFrame& frame);
    bool on_resumed(Node& node, const ResumedFrame& frame);
    static void note_cut(Connection& connection);
    void begin_patience(Node& node);
    void wait_for_cut(Node& node, std::uint64_t time_ns);
    void ask_to_resume(const Connection& connection);
    void say_caught_up(Node& node);
    void say_gone(Node& node, std::uint32_t number);
    bool may_use_number(Node& node, std::uint32_t number, const ConnectionPtr& connection);
    void resume_for(const ConnectionPtr& connection, const ResumeFrame& frame);
    void lose_cut(Node& node, std::uint64_t before_ns = kForever);
    void open_again(const ConnectionPtr& connection);
    bool resume(const ConnectionPtr& connection, const Progress& far);

    // returning.cpp
    void be_young();
    bool is_young() const;
    void grow_up();
    void on_rejoin(AgentLink& link, Received& message);
    Reason adopt(const ConnectionKey& key, const LinkRejoinMessage& said, UniqueFd slab_fd);

    // opening.cpp
    bool is_domain_full(const Pair& pair) const;
    void on_connect(AgentLink& link, Received& message);
    void open_on(Node& node, const ConnectionPtr& connection);
    void on_open(Node& node, const OpenFrame& frame);
    void end_question(Connection& connection);
    void on_offered(const ConnectionPtr& connection, Received* answer);
    bool on_opened_frame(Node& node, const OpenedFrame& frame);
    void on_opened(const ConnectionPtr& connection, Reason reason);
    void answer_agent(const ConnectionPtr& connection, Reason reason);
    void stop_asking(const ConnectionPtr& connection);
    bool attach(const ConnectionPtr& connection, Result<Mirror> mirror);
    ConnectionKey key_at_listener(Node& node, std::uint32_t from_domain, std::uint32_t to_domain,
                                  std::uint64_t connection_id);

    // carrying.cpp
    void queue(const ConnectionPtr& connection);
    static ConnectionPtr carried(const Node& node, std::uint32_t number);
    template <class Call>
    void for_each_node(Call call);
    bool run_turns();
    bool has_turns();
    void pump(const ConnectionPtr& connection);
    bool send_update(Connection& connection);
    bool place_data(Node& node, const DataFrame& frame, std::size_t left_bytes, Mirror::Room& room);
    void note_received(Node& node, std::uint32_t number, std::size_t bytes);
    bool on_placed(Node& node, const PlacedFrame& frame);
    void offer_window(Connection& connection);
    bool on_window(Node& node, const WindowFrame& frame);
    bool on_update(Node& node, const UpdateFrame& frame);
    void show(const ConnectionPtr& connection);
    bool knows_bells(const ConnectionPtr& connection);
    void stop_waiting(const ConnectionPtr& connection);
    void kick(Connection& connection, const Woken& woken);

    // ending.cpp
    void on_end_message(AgentLink& link, const Received& message);
    void on_gone(Node& node, const GoneFrame& frame);
    void send_gone(const ConnectionPtr& connection);
    void end_for_lie(const ConnectionPtr& connection);
    void leave_node(const ConnectionPtr& connection);
    void lose_far(const ConnectionPtr& connection);
    void tell_agent(Connection& connection, LinkMessage what);
    void forget_if_over(const ConnectionPtr& connection);
    void forget(const ConnectionPtr& connection);
    static bool look_at_home(Connection& connection);
    void doubt(const Pair& pair);
    bool is_farewell_over(const Connection& connection, std::uint64_t now) const;
    void free_idle_bells();
    void look_now_and_then();

    Poller& poller_;
    const NodeKey key_;
    const Settings settings_;
    const std::uint64_t boot_id_;
    std::minstd_rand random_;
    bool is_stopped_ = false;
    bool has_failed_ = false;
    UniqueFd lock_;
    Acceptor acceptor_;
    UniqueFd agent_socket_;
    UniqueFd node_socket_;
    UniqueFd report_socket_;
    std::string report_text_;
    std::uint64_t reported_ns_ = 0;
    std::unique_ptr<Verbs> verbs_;  // null: the wires are TCP
    std::string why_tcp_;           // then
    std::uint64_t begin_ns_ = 0;
    std::vector<std::unique_ptr<AgentLink>> unnamed_;  // that did not say hello yet
    std::map<Pair, std::unique_ptr<AgentLink>> in_;
    std::map<Pair, std::unique_ptr<AgentLink>> out_;
    // Nodes by their text; these stay.
    std::map<std::string, Node> dialled_;
    std::map<std::string, Node> reached_by_;
    std::vector<std::unique_ptr<NodeLink>> listened_;  // links that other nodes dialled
    // Destroyed at the end of a turn, since they may be in the midst of a call, or once their wires are over.
    std::vector<std::unique_ptr<AgentLink>> dead_agents_;
    std::vector<std::unique_ptr<NodeLink>> dead_nodes_;
    ProgramBells program_bells_;
    std::map<Pair, std::vector<std::unique_ptr<OwnBell>>> own_bells_;
    std::uint32_t last_bell_;                                  // programs may know those of an earlier bridge
    std::unordered_map<std::uint64_t, ConnectionPtr> by_bit_;  // bell id << 16 | bit
    std::map<ConnectionKey, ConnectionPtr> connections_;
    std::map<std::uint32_t, std::size_t> of_domain_;  // how many of them each domain here has
    ConnectionKey last_looked_at_{};                  // by look_for_left_behind()
    std::set<ConnectionPtr> asking_;                  // an agent here waits for the answer
    std::uint32_t last_number_ = 0;
    std::uint32_t last_unnumbered_ = 0;
    std::uint64_t young_until_ns_ = 0;
};

}  // namespace xylem::bridge
