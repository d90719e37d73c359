// XenStore. A watch's token is its path, so that an event says which one it is for.
#include "control/xen_store.hpp"

#include <algorithm>
#include <cstdlib>

extern "C" {
#include <xenstore.h>
}

namespace xylem {
namespace {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

Result<std::string> read_from(xs_handle* handle, const char* path) {
    unsigned length = 0;
    const std::unique_ptr<void, Free> text(::xs_read(handle, XBT_NULL, path, &length));
    if (text == nullptr) return fail_errno();
    return std::string(static_cast<const char*>(text.get()), length);
}

}  // namespace

std::unique_ptr<XenStore> XenStore::open() {
    xs_handle* handle = ::xs_open(0);
    if (handle == nullptr) return nullptr;
    const auto domain = read_from(handle, "domid");
    const int id = domain ? std::atoi(domain->c_str()) : 0;
    if (id > 0 && id < kFirstReservedDomain) {
        return std::unique_ptr<XenStore>(new XenStore(handle, static_cast<DomainId>(id)));
    }
    ::xs_close(handle);
    return nullptr;
}

XenStore::~XenStore() { ::xs_close(handle_); }

Result<std::string> XenStore::read(const std::string& path) { return read_from(handle_, path.c_str()); }

// The permission first: nobody is told of a change that he may not read.
bool XenStore::show(const std::string& path, const std::string& text, DomainId to) {
    xs_permissions permissions[2] = {{own_domain_, XS_PERM_NONE}, {to, XS_PERM_READ}};
    const auto length = static_cast<unsigned>(text.size());
    return (read(path) || ::xs_write(handle_, XBT_NULL, path.c_str(), "", 0)) &&
           ::xs_set_permissions(handle_, XBT_NULL, path.c_str(), permissions, 2) &&
           ::xs_write(handle_, XBT_NULL, path.c_str(), text.data(), length);
}

void XenStore::remove(const std::string& path) { ::xs_rm(handle_, XBT_NULL, path.c_str()); }

bool XenStore::watch(const std::string& path) { return ::xs_watch(handle_, path.c_str(), path.c_str()); }

int XenStore::fd() const { return ::xs_fileno(handle_); }

std::vector<std::string> XenStore::changed() {
    std::vector<std::string> paths;
    while (const std::unique_ptr<void, Free> event{::xs_check_watch(handle_)}) {
        const std::string path = static_cast<char**>(event.get())[XS_WATCH_TOKEN];
        if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
    return paths;
}

}  // namespace xylem
