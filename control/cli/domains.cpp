// A domain leaves its folder dom-N in the runtime directory (control/protocol/runtime_paths.hpp), so the
// folder's names are the list. Reading it needs no agent and no lock.
#include "control/cli/domains.hpp"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "control/cli/quantity.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/xen_store.hpp"

namespace xylem::cli {

Outcome<std::uint32_t> default_domain() {
    const char* set = ::getenv("XYLEM_DOMAIN");
    if (set != nullptr && set[0] != '\0') return parse_domain_id(set, "XYLEM_DOMAIN");
    if (::access(default_link().text, F_OK) == 0) return domain_by_default();
    const auto store = XenStore::open();
    return store != nullptr ? store->own_domain() : kDefaultDomain;
}

Outcome<std::uint32_t> chosen_domain(const std::optional<std::string>& option) {
    return option ? parse_domain_id(*option, "--domain") : default_domain();
}

std::vector<std::uint32_t> domains_present() {
    constexpr std::string_view kPrefix = "dom-";
    std::vector<std::uint32_t> domains;
    std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(runtime_directory().text), ::closedir);
    if (!folder) return domains;
    while (const dirent* item = ::readdir(folder.get())) {
        const std::string_view name = item->d_name;
        if (!name.starts_with(kPrefix)) continue;
        if (auto domain = parse_domain_id(name.substr(kPrefix.size()), "folder")) domains.push_back(*domain);
    }
    std::sort(domains.begin(), domains.end());
    return domains;
}

}  // namespace xylem::cli
