// Numbers of nodes. symlink(2) makes an entry whole or not at all, and never over another: who comes second
// finds it.
#include "control/protocol/remote_domain.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xylem {
namespace {

RuntimePath entry(const char* name) {
    RuntimePath path{};
    const int length = ::snprintf(path.text, sizeof path.text, "%s/nodes/%s", fabric_directory().text, name);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

RuntimePath node_link(std::uint32_t number) {
    char name[16];
    ::snprintf(name, sizeof name, "%u", static_cast<unsigned>(number));
    return entry(name);
}

RuntimePath order_link(std::uint32_t number) {
    char name[24];
    ::snprintf(name, sizeof name, "%u.over", static_cast<unsigned>(number));
    return entry(name);
}

RuntimePath folder() {
    RuntimePath path = own_node_path();
    if (char* last = ::strrchr(path.text, '/')) *last = '\0';
    return path;
}

// Several users' agents may share a fabric directory, and whoever makes this folder in it says where the
// others' connections go.
bool is_trusted_folder() {
    struct stat fabric {};
    struct stat nodes {};
    if (::stat(fabric_directory().text, &fabric) != 0 || ::lstat(folder().text, &nodes) != 0) return false;
    const bool is_owner_trusted =
        nodes.st_uid == 0 || nodes.st_uid == ::geteuid() || nodes.st_uid == fabric.st_uid;
    return S_ISDIR(nodes.st_mode) && is_owner_trusted && (nodes.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

NodeText read_entry(const RuntimePath& path) {
    NodeText name{};
    if (!is_trusted_folder()) return name;
    if (::readlink(path.text, name.text, sizeof name.text - 1) < 0) name.text[0] = '\0';
    return name;
}

void make_folder() { ::mkdir(folder().text, 0755); }

// In one step for whoever reads it.
bool replace_entry(const RuntimePath& path, const char* text) {
    RuntimePath fresh{};
    const int length = ::snprintf(fresh.text, sizeof fresh.text, "%s.new", path.text);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof fresh.text) return false;
    ::unlink(fresh.text);
    return ::symlink(text, fresh.text) == 0 && ::rename(fresh.text, path.text) == 0;
}

}  // namespace

NodeText node_text(const SocketName& node) {
    NodeText name{};
    char address[INET6_ADDRSTRLEN];
    const int family = static_cast<int>(node.family);
    if (::inet_ntop(family, node.address, address, sizeof address) == nullptr) return name;
    const char* form = node.port == 0 ? "%s" : (family == AF_INET6 ? "[%s]:%u" : "%s:%u");
    ::snprintf(name.text, sizeof name.text, form, address, static_cast<unsigned>(node.port));
    return name;
}

NodeText numbered_node(std::uint32_t number) { return read_entry(node_link(number)); }

RuntimePath own_node_path() { return entry("own"); }

NodeText own_node() { return read_entry(own_node_path()); }

bool name_own_node(const char* text) {
    make_folder();
    if (!is_trusted_folder()) {
        errno = EPERM;
        return false;
    }
    if (::strcmp(own_node().text, text) == 0) return true;
    return replace_entry(own_node_path(), text);
}

NodeText order_of_node(std::uint32_t number) { return read_entry(order_link(number)); }

void set_order_of_node(std::uint32_t number, const char* order) {
    if (::strcmp(order_of_node(number).text, order) == 0) return;
    if (order[0] == '\0') {
        ::unlink(order_link(number).text);
    } else {
        replace_entry(order_link(number), order);
    }
}

std::uint32_t number_of_node(const char* text) {
    make_folder();
    if (!is_trusted_folder()) return 0;
    for (std::uint32_t number = 1; number <= kMostNodes; ++number) {
        NodeText there = numbered_node(number);
        if (there.text[0] == '\0' && ::symlink(text, node_link(number).text) != 0) {
            if (errno != EEXIST) return 0;
            there = numbered_node(number);
        } else if (there.text[0] == '\0') {
            return number;
        }
        if (::strcmp(there.text, text) == 0) return number;
    }
    return 0;
}

}  // namespace xylem
