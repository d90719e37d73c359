// XenStore by libxenstore, through /dev/xen/xenbus. An event of a watch names the node that changed: all
// paths here are absolute where they are watched.
#include "control/xen_store.hpp"

#include <errno.h>

#include <algorithm>
#include <cstdlib>

extern "C" {
#include <xenstore.h>
}

namespace xylem {
namespace {

constexpr unsigned kMostEvents = 256;  // a turn

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

Result<std::string> read_from(xs_handle* handle, const char* path) {
    unsigned length = 0;
    const std::unique_ptr<void, Free> text(::xs_read(handle, XBT_NULL, path, &length));
    if (text == nullptr) return fail_errno();
    return std::string(static_cast<const char*>(text.get()), length);
}

class LibXenStore final : public XenStore {
  public:
    LibXenStore(xs_handle* handle, DomainId own_domain) : XenStore(own_domain), handle_(handle) {}
    ~LibXenStore() override { ::xs_close(handle_); }

    Result<std::string> read(const std::string& path) override { return read_from(handle_, path.c_str()); }
    bool show(const std::string& path, const std::string& text, DomainId to) override {
        xs_permissions permissions[2] = {{own_domain(), XS_PERM_NONE}, {to, XS_PERM_READ}};
        return put(path, text, permissions, 2);
    }
    // The first permission names the owner, and says what those may do that no other one names.
    bool show_all(const std::string& path, const std::string& text) override {
        xs_permissions permissions[1] = {{own_domain(), XS_PERM_READ}};
        return put(path, text, permissions, 1);
    }
    void remove(const std::string& path) override { ::xs_rm(handle_, XBT_NULL, path.c_str()); }
    bool watch(const std::string& path) override {
        return ::xs_watch(handle_, path.c_str(), path.c_str()) || refuse(errno);
    }
    void unwatch(const std::string& path) override { ::xs_unwatch(handle_, path.c_str(), path.c_str()); }
    std::vector<std::string> list(const std::string& path) override {
        unsigned count = 0;
        const std::unique_ptr<char*, Free> names{::xs_directory(handle_, XBT_NULL, path.c_str(), &count)};
        if (names == nullptr) return {};
        return {names.get(), names.get() + count};
    }
    int fd() const override { return ::xs_fileno(handle_); }
    std::vector<std::string> changed() override;

  private:
    // The permission first: nobody is told of a change that he may not read.
    bool put(const std::string& path, const std::string& text, xs_permissions* permissions, unsigned count) {
        const auto length = static_cast<unsigned>(text.size());
        const bool is_put = (read(path) || ::xs_write(handle_, XBT_NULL, path.c_str(), "", 0)) &&
                            ::xs_set_permissions(handle_, XBT_NULL, path.c_str(), permissions, count) &&
                            ::xs_write(handle_, XBT_NULL, path.c_str(), text.data(), length);
        return is_put || refuse(errno);
    }

    xs_handle* handle_;
};

std::vector<std::string> LibXenStore::changed() {
    std::vector<std::string> paths;
    for (unsigned i = 0; i < kMostEvents; ++i) {  // the rest keeps fd() readable
        const std::unique_ptr<void, Free> event{::xs_check_watch(handle_)};
        if (event == nullptr) break;
        const std::string path = static_cast<char**>(event.get())[XS_WATCH_PATH];
        if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
    }
    return paths;
}

}  // namespace

std::unique_ptr<XenStore> XenStore::open() {
    xs_handle* handle = ::xs_open(0);
    if (handle == nullptr) return nullptr;
    const auto domain = read_from(handle, "domid");
    const int id = domain ? std::atoi(domain->c_str()) : 0;
    if (id > 0 && id < kFirstReservedDomain)
        return std::make_unique<LibXenStore>(handle, static_cast<DomainId>(id));
    ::xs_close(handle);
    return nullptr;
}

}  // namespace xylem
