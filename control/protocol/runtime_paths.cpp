// Paths of the runtime directory, without allocation: the guest library asks too.
#include "control/protocol/runtime_paths.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/protocol/remote_domain.hpp"

namespace xylem {
namespace {

template <class... Arguments>
RuntimePath format(const char* pattern, Arguments... arguments) {
    RuntimePath path{};
    const int length = ::snprintf(path.text, sizeof path.text, pattern, arguments...);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof path.text) path.text[0] = '\0';
    return path;
}

const char* variable(const char* name) {
    const char* value = ::secure_getenv(name);
    return value != nullptr && value[0] == '/' ? value : nullptr;
}

}  // namespace

RuntimePath runtime_directory() {
    if (const char* set = variable("XYLEM_RUNTIME_DIR")) return format("%s", set);
    if (::geteuid() == 0) return format("%s", "/run/xylem");
    if (const char* user = variable("XDG_RUNTIME_DIR")) return format("%s/xylem", user);
    return format("/tmp/xylem-%u", static_cast<unsigned>(::geteuid()));
}

RuntimePath fabric_directory() {
    if (const char* set = variable("XYLEM_FABRIC_DIR")) return format("%s", set);
    return format("%s/fabric", runtime_directory().text);
}

std::uint32_t domain_by_default() {
    char target[32]{};
    unsigned domain = 0;
    const bool is_link = ::readlink(default_link().text, target, sizeof target - 1) > 0;
    return is_link && ::sscanf(target, "dom-%u", &domain) == 1 ? domain : kDefaultDomain;
}

RuntimePath default_link() { return format("%s/default", runtime_directory().text); }

RuntimePath default_door() { return format("%s/door", default_link().text); }

RuntimePath default_agent_socket() { return format("%s/agent.sock", default_door().text); }

RuntimePath domain_directory(std::uint32_t domain) {
    return format("%s/dom-%u", runtime_directory().text, domain);
}

RuntimePath agent_door(std::uint32_t domain) {
    return format("%s/dom-%u/door", runtime_directory().text, domain);
}

RuntimePath agent_socket(std::uint32_t domain) {
    return format("%s/dom-%u/door/agent.sock", runtime_directory().text, domain);
}

RuntimePath bridge_socket() { return format("%s/bridge.link", fabric_directory().text); }

RuntimePath bridge_report_socket() { return format("%s%s", fabric_directory().text, kBridgeReportName); }

RuntimePath link_socket(std::uint32_t domain) {
    if (is_remote_domain(domain)) return bridge_socket();
    return format("%s/%u.link", fabric_directory().text, domain);
}

}  // namespace xylem
