// Theory of operation: guests find each other through XenStore only. dom0 writes each one's data/peer; each
// guest writes nodes below its own data/ and lets the other read them. Waiting is reading again every few
// milliseconds: there are few waits, and a watch would be one more thing that can fail.
#include "tests/xen/smoke/two_guests.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace xylem::xen_smoke {
namespace {

[[noreturn]] void give_up(const char* what) {
    std::printf("Bail out: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

unsigned number(const std::optional<std::string>& text) {
    return text ? static_cast<unsigned>(std::strtoul(text->c_str(), nullptr, 10)) : 0;
}

}  // namespace

TwoGuests::TwoGuests(const char* test) : store_(xs_open(0)), test_(test) {
    if (store_ == nullptr) give_up("cannot open XenStore (/dev/xen/xenbus)");
    const char* name = std::getenv("XYLEM_GUEST");
    const char* life = std::getenv("XYLEM_LIFE");
    if (name == nullptr || life == nullptr)
        give_up("XYLEM_GUEST and XYLEM_LIFE are not set; run_guest sets them");
    is_a_ = std::strcmp(name, "a") == 0;
    life_ = std::atoi(life);
    own_domid_ = number(read("domid"));
    // A line at a time: the console is read by somebody who waits for lines.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
}

TwoGuests::~TwoGuests() { xs_close(store_); }

unsigned TwoGuests::peer_domid() const {
    std::optional<std::string> peer;
    wait_until([&] { return (peer = read("data/peer")).has_value(); });
    return number(peer);
}

bool TwoGuests::keep(const std::string& name, const std::string& value) {
    xs_permissions owner{own_domid_, XS_PERM_NONE};
    return xs_write(store_, XBT_NULL, node(name).c_str(), value.data(), value.size()) &&
           xs_set_permissions(store_, XBT_NULL, node(name).c_str(), &owner, 1);
}

bool TwoGuests::publish(const std::string& name, const std::string& value) {
    xs_permissions permissions[] = {{own_domid_, XS_PERM_NONE}, {peer_domid(), XS_PERM_READ}};
    return xs_write(store_, XBT_NULL, node(name).c_str(), value.data(), value.size()) &&
           xs_set_permissions(store_, XBT_NULL, node(name).c_str(), permissions, 2);
}

std::string TwoGuests::peer_path(const std::string& name) const {
    return "/local/domain/" + std::to_string(peer_domid()) + "/" + node(name);
}

std::optional<std::string> TwoGuests::read(const std::string& path) const {
    unsigned size = 0;
    void* data = xs_read(store_, XBT_NULL, path.c_str(), &size);
    if (data == nullptr) return std::nullopt;
    std::string text(static_cast<const char*>(data), size);
    std::free(data);
    return text;
}

std::optional<std::string> TwoGuests::peer_says(const std::string& name) const {
    std::optional<std::string> text;
    if (!wait_until([&] { return (text = read(peer_path(name))).has_value(); })) {
        std::printf("# the peer did not publish %s: %s\n", peer_path(name).c_str(), std::strerror(errno));
    }
    return text;
}

bool TwoGuests::check(bool good, const char* sentence) {
    const int error = errno;
    ++checks_;
    if (!good) ++failures_;
    std::printf("%sok %d - %s\n", good ? "" : "not ", checks_, sentence);
    if (!good) std::printf("# errno, if it matters: %s\n", std::strerror(error));
    return good;
}

int TwoGuests::finish() const {
    std::printf("1..%d\n", checks_);
    return failures_ == 0 ? 0 : 1;
}

}  // namespace xylem::xen_smoke
