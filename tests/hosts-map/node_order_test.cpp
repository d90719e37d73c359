// The option over=: how lines of other nodes say over what these are reached.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "hosts-map/map.hpp"

namespace xylem {
namespace {

const std::string line_of_node = "10.0.9.0/24 node:192.168.7.2/dom:4";

std::optional<std::uint64_t> order_in(std::string_view text) {
    const auto map = HostsMap::parse(text);
    EXPECT_TRUE(map) << text;
    return map ? map->entries().front().options.node_order : std::nullopt;
}

std::string mistakes_in(std::string_view text) {
    std::string printed;
    const auto map = HostsMap::parse(text);
    if (map) return printed;
    for (const Diagnostic& diagnostic : map.error()) printed += to_string(diagnostic, "hosts") + "\n";
    return printed;
}

TEST(HostsMapNodeOrder, lines_of_other_nodes_have_one_or_none) {
    EXPECT_EQ(order_in(line_of_node), std::nullopt);
    for (const NodeOrder order :
         {NodeOrder::verbs, NodeOrder::tcp, NodeOrder::verbs_tcp, NodeOrder::tcp_verbs}) {
        EXPECT_EQ(order_in(line_of_node + " over=" + std::string(to_string(order))),
                  static_cast<std::uint64_t>(order));
    }
}

TEST(HostsMapNodeOrder, it_prints_as_it_was_written) {
    const auto map = HostsMap::parse(line_of_node + " over=tcp,verbs ring=1M");
    ASSERT_TRUE(map);
    EXPECT_EQ(to_string(map->entries().front()), line_of_node + " ring=1M over=tcp,verbs");
}

TEST(HostsMapNodeOrder, wrong_ones_are_refused_at_their_column) {
    for (const std::string wrong : {"rdma", "verbs,", "tcp,tcp", "tcp;verbs"}) {
        EXPECT_EQ(mistakes_in(line_of_node + " over=" + wrong),
                  "hosts:1:41: '" + wrong +
                      "' is not an order of transports between nodes; expected verbs, tcp, or both "
                      "with a comma, the first choice first\n");
    }
    EXPECT_EQ(mistakes_in("10.0.0.2 dom:2 over=tcp"),
              "hosts:1:1: option 'over' is for domains of other nodes; expected node:ADDRESS[:PORT]/dom:N "
              "before it, or no such option\n");
}

TEST(HostsMapNodeOrder, the_lines_of_a_node_agree) {
    const std::string first = "10.0.0.4 node:192.168.7.2/dom:4 over=verbs\n";
    EXPECT_EQ(mistakes_in(first + "10.0.0.5 node:192.168.7.2/dom:5 over=verbs\n"), "");
    EXPECT_EQ(mistakes_in(first + "10.0.0.5 node:192.168.7.2:7000/dom:5\n"), "");
    EXPECT_EQ(
        mistakes_in(first + "10.0.0.5 node:192.168.7.2/dom:5\n10.0.0.6 dom:6\n"),
        "hosts:2:1: line 1 has another option 'over' for node 192.168.7.2; expected the same one on all "
        "lines of a node, or none\n");
}

}  // namespace
}  // namespace xylem
