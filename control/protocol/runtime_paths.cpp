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

// Nothing below a directory that has no path: it would begin at the root of the file system.
template <class... Arguments>
RuntimePath below(const RuntimePath& parent, const char* pattern, Arguments... arguments) {
    return parent.text[0] == '\0' ? RuntimePath{} : format(pattern, parent.text, arguments...);
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
    return below(runtime_directory(), "%s/fabric");
}

std::uint32_t domain_by_default() {
    char target[32]{};
    unsigned domain = 0;
    const bool is_link = ::readlink(default_link().text, target, sizeof target - 1) > 0;
    return is_link && ::sscanf(target, "dom-%u", &domain) == 1 ? domain : kDefaultDomain;
}

RuntimePath default_link() { return below(runtime_directory(), "%s/default"); }

RuntimePath default_door() { return below(default_link(), "%s/door"); }

RuntimePath default_agent_socket() { return below(default_door(), "%s/agent.sock"); }

RuntimePath domain_directory(std::uint32_t domain) { return below(runtime_directory(), "%s/dom-%u", domain); }

RuntimePath agent_door(std::uint32_t domain) { return below(runtime_directory(), "%s/dom-%u/door", domain); }

RuntimePath agent_socket(std::uint32_t domain) {
    return below(runtime_directory(), "%s/dom-%u/door/agent.sock", domain);
}

RuntimePath bridge_socket() { return below(fabric_directory(), "%s/bridge.link"); }

RuntimePath bridge_report_socket() { return below(fabric_directory(), "%s%s", kBridgeReportName); }

RuntimePath link_socket(std::uint32_t domain) {
    if (is_remote_domain(domain)) return bridge_socket();
    return below(fabric_directory(), "%s/%u.link", domain);
}

}  // namespace xylem
