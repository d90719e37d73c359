#include "guest-lib/names.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>

namespace xylem {
namespace {

sockaddr_in ipv4(const char* text, std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    EXPECT_EQ(::inet_pton(AF_INET, text, &name.sin_addr), 1);
    return name;
}

sockaddr_in6 ipv6(const char* text, std::uint16_t port, std::uint32_t scope = 0) {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(port);
    name.sin6_scope_id = scope;
    EXPECT_EQ(::inet_pton(AF_INET6, text, &name.sin6_addr), 1);
    return name;
}

template <class Address>
SocketName named(const Address& address) {
    SocketName name;
    EXPECT_TRUE(to_socket_name(reinterpret_cast<const sockaddr*>(&address), sizeof address, name));
    return name;
}

TEST(Names, ipv4_goes_there_and_back) {
    const sockaddr_in original = ipv4("127.44.3.9", 5201);
    const SocketName name = named(original);
    EXPECT_EQ(name.family, static_cast<std::uint32_t>(AF_INET));
    EXPECT_EQ(name.port, 5201U);
    sockaddr_storage storage;
    ASSERT_EQ(to_sockaddr(name, storage), sizeof original);
    EXPECT_EQ(std::memcmp(&storage, &original, sizeof original), 0);
}

TEST(Names, ipv6_goes_there_and_back_with_its_scope) {
    const sockaddr_in6 original = ipv6("fe80::7", 443, 3);
    const SocketName name = named(original);
    EXPECT_EQ(name.scope_id, 3U);
    sockaddr_storage storage;
    ASSERT_EQ(to_sockaddr(name, storage), sizeof original);
    EXPECT_EQ(std::memcmp(&storage, &original, sizeof original), 0);
}

TEST(Names, vsock_goes_there_and_back_with_all_bits_of_its_port) {
    sockaddr_vm original{};
    original.svm_family = AF_VSOCK;
    original.svm_cid = 0x12345678;
    original.svm_port = 0xFEDCBA98;
    const SocketName name = named(original);
    EXPECT_EQ(name.port, 0xFEDCBA98U);
    EXPECT_EQ(cid_of(name), 0x12345678U);
    EXPECT_FALSE(is_wildcard(name));
    EXPECT_TRUE(is_wildcard(vsock_name(VMADDR_CID_ANY, 1)));
    sockaddr_storage storage;
    ASSERT_EQ(to_sockaddr(name, storage), sizeof original);
    EXPECT_EQ(std::memcmp(&storage, &original, sizeof original), 0);
    SocketName ignored;
    const auto* general = reinterpret_cast<const sockaddr*>(&original);
    EXPECT_FALSE(to_socket_name(general, sizeof original - 1, ignored));
}

TEST(Names, addresses_that_are_cut_short_or_of_other_families_are_none) {
    const sockaddr_in address = ipv4("1.2.3.4", 5);
    const auto* general = reinterpret_cast<const sockaddr*>(&address);
    SocketName name;
    EXPECT_FALSE(to_socket_name(nullptr, sizeof address, name));
    EXPECT_FALSE(to_socket_name(general, 1, name));
    EXPECT_FALSE(to_socket_name(general, sizeof address - 1, name));
    sockaddr_in6 longer = ipv6("::1", 5);
    EXPECT_FALSE(to_socket_name(reinterpret_cast<const sockaddr*>(&longer), sizeof longer - 1, name));
    longer.sin6_family = AF_UNIX;
    EXPECT_FALSE(to_socket_name(reinterpret_cast<const sockaddr*>(&longer), sizeof longer, name));
}

TEST(Names, an_ipv6_socket_sees_ipv4_names_mapped) {
    const SocketName name = as_seen_by(AF_INET6, named(ipv4("127.44.0.1", 80)));
    const SocketName expected = named(ipv6("::ffff:127.44.0.1", 80));
    EXPECT_EQ(std::memcmp(&name, &expected, sizeof name), 0);
}

TEST(Names, other_names_stay_as_they_are) {
    const SocketName four = named(ipv4("127.44.0.1", 80));
    const SocketName six = named(ipv6("::1", 80));
    const SocketName four_seen = as_seen_by(AF_INET, four);
    const SocketName six_seen = as_seen_by(AF_INET6, six);
    EXPECT_EQ(std::memcmp(&four, &four_seen, sizeof four), 0);
    EXPECT_EQ(std::memcmp(&six, &six_seen, sizeof six), 0);
}

TEST(Names, storing_cuts_at_the_room_and_tells_the_full_length) {
    const sockaddr_in original = ipv4("127.44.0.1", 80);
    unsigned char bytes[sizeof original];
    std::memset(bytes, 0xEE, sizeof bytes);
    socklen_t length = 2;
    store_name(named(original), reinterpret_cast<sockaddr*>(bytes), &length);
    EXPECT_EQ(length, sizeof original);
    EXPECT_EQ(std::memcmp(bytes, &original, 2), 0);
    EXPECT_EQ(bytes[2], 0xEE);
    store_name(named(original), nullptr, nullptr);
}

TEST(Names, wildcards_are_all_zero_addresses) {
    EXPECT_TRUE(is_wildcard(named(ipv4("0.0.0.0", 80))));
    EXPECT_TRUE(is_wildcard(named(ipv6("::", 80))));
    EXPECT_FALSE(is_wildcard(named(ipv4("0.0.0.1", 80))));
    EXPECT_FALSE(is_wildcard(named(ipv6("::1", 80))));
}

TEST(Names, a_connect_to_the_wildcard_reaches_the_loopback_address) {
    const SocketName four = reached_by(named(ipv4("0.0.0.0", 80)));
    const SocketName four_expected = named(ipv4("127.0.0.1", 80));
    EXPECT_EQ(std::memcmp(&four, &four_expected, sizeof four), 0);
    const SocketName six = reached_by(named(ipv6("::", 80)));
    const SocketName six_expected = named(ipv6("::1", 80));
    EXPECT_EQ(std::memcmp(&six, &six_expected, sizeof six), 0);
    const SocketName other = named(ipv4("127.44.0.1", 80));
    const SocketName other_reached = reached_by(other);
    EXPECT_EQ(std::memcmp(&other, &other_reached, sizeof other), 0);
}

TEST(Names, the_kernel_says_what_a_socket_is_bound_to) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in wanted = ipv4("127.0.0.1", 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&wanted), sizeof wanted), 0);
    const SocketName bound = bound_name(fd);
    EXPECT_EQ(bound.family, static_cast<std::uint32_t>(AF_INET));
    EXPECT_NE(bound.port, 0U);
    ::close(fd);
    EXPECT_EQ(bound_name(fd).family, 0U);
}

}  // namespace
}  // namespace xylem
