// XenStore as this guest's agent (and command, which asks for the domain only) uses it: its own nodes, which
// it shows to one peer each, and those that peers show to it. Nothing here waits for another domain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/xen/grant_region.hpp"

namespace xylem {

class XenStore {
  public:
    // Null where there is none: not a Xen guest, or no permission.
    static std::unique_ptr<XenStore> open();
    virtual ~XenStore() = default;
    XenStore(const XenStore&) = delete;
    XenStore& operator=(const XenStore&) = delete;

    DomainId own_domain() const { return own_domain_; }
    // Fails with ENOENT without such a node, with EACCES where it is not for this domain to read.
    virtual Result<std::string> read(const std::string& path) = 0;
    // A node of our own that only this domain may read. False: XenStore refuses, as watch() and show_all().
    virtual bool show(const std::string& path, const std::string& text, DomainId to) = 0;
    // A node of our own that every domain may read.
    virtual bool show_all(const std::string& path, const std::string& text) = 0;
    virtual void remove(const std::string& path) = 0;
    virtual bool watch(const std::string& path) = 0;
    // Why it refused last: an errno.
    int why_refused() const { return why_refused_; }
    virtual void unwatch(const std::string& path) = 0;
    // The names of the nodes directly below; empty where there is none, or it is not for this domain to read.
    virtual std::vector<std::string> list(const std::string& path) = 0;
    // Readable while a watch may have fired; then what changed, each path once: one that is watched, or one
    // below.
    virtual int fd() const = 0;
    virtual std::vector<std::string> changed() = 0;

  protected:
    explicit XenStore(DomainId own_domain) : own_domain_(own_domain) {}
    bool refuse(int error) {
        why_refused_ = error;
        return false;
    }

  private:
    const DomainId own_domain_;
    int why_refused_ = 0;
};

}  // namespace xylem
