// XenStore as this guest's agent (and command, which asks for the domain only) uses it: its own nodes, which
// it shows to one peer each, and those that peers show to it. By libxenstore, through /dev/xen/xenbus;
// nothing here waits for another domain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/xen/grant_region.hpp"

struct xs_handle;
struct xs_permissions;

namespace xylem {

class XenStore {
  public:
    // Null where there is none: not a Xen guest, or no permission.
    static std::unique_ptr<XenStore> open();
    ~XenStore();
    XenStore(const XenStore&) = delete;
    XenStore& operator=(const XenStore&) = delete;

    DomainId own_domain() const { return own_domain_; }
    // Fails with ENOENT without such a node, with EACCES where it is not for this domain to read.
    Result<std::string> read(const std::string& path);
    // A node of our own that only this domain may read. False: XenStore refuses.
    bool show(const std::string& path, const std::string& text, DomainId to);
    // A node of our own that every domain may read.
    bool show_all(const std::string& path, const std::string& text);
    void remove(const std::string& path);
    bool watch(const std::string& path);
    // The names of the nodes directly below; empty where there is none, or it is not for this domain to read.
    std::vector<std::string> list(const std::string& path);
    // Readable while a watch may have fired; then what changed, each path once: one that is watched, or one
    // below.
    int fd() const;
    std::vector<std::string> changed();

  private:
    XenStore(xs_handle* handle, DomainId own_domain) : handle_(handle), own_domain_(own_domain) {}
    bool put(const std::string& path, const std::string& text, xs_permissions* permissions, unsigned count);

    xs_handle* handle_;
    DomainId own_domain_;
};

}  // namespace xylem
