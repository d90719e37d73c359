// Event channels, by the ioctls of evtchn. Theory: event_channel.hpp.
#include "vsock-transport/xen/event_channel.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>

#include "vsock-transport/base/system_call.hpp"

using domid_t = std::uint16_t;  // evtchn.h leaves it to whoever includes it
#include <xen/evtchn.h>

namespace xylem {
namespace {

template <class Request>
Result<EventChannel> bind(unsigned long operation, Request request) {
    const char path[] = "/dev/xen/evtchn";
    const long opened = system_call(SYS_openat, AT_FDCWD, word(path), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) return fail(ErrorKind::system, static_cast<int>(-opened));
    EventChannel made{UniqueFd(static_cast<int>(opened)), 0};
    const long port = system_call(SYS_ioctl, made.fd.get(), static_cast<long>(operation), word(&request));
    if (port < 0) return fail(ErrorKind::system, static_cast<int>(-port));
    made.port = static_cast<std::uint32_t>(port);
    return made;
}

}  // namespace

Result<EventChannel> offer_event_channel(DomainId to) {
    return bind(IOCTL_EVTCHN_BIND_UNBOUND_PORT, ioctl_evtchn_bind_unbound_port{to});
}

Result<EventChannel> bind_event_channel(DomainId from, std::uint32_t port) {
    return bind(IOCTL_EVTCHN_BIND_INTERDOMAIN, ioctl_evtchn_bind_interdomain{from, port});
}

// Port 0 is nobody's, so this is refused in any case: with ESRCH where there is no such domain, which Xen
// looks for first (EVTCHNOP_bind_interdomain of <xen/event_channel.h>).
bool is_known_to_xen(DomainId domain) {
    const Result<EventChannel> bound = bind_event_channel(domain, 0);
    return bound || bound.error().sys_errno != ESRCH;
}

bool kick_event_channel(int fd, std::uint32_t port) {
    ioctl_evtchn_notify request{port};
    return system_call(SYS_ioctl, fd, static_cast<long>(IOCTL_EVTCHN_NOTIFY), word(&request)) == 0;
}

// The file has one port, so one read takes all of it.
std::uint32_t take_event(int fd) {
    std::uint32_t port = 0;
    return system_call(SYS_read, fd, word(&port), sizeof port) == sizeof port ? port : 0;
}

void unmask_event_channel(int fd, std::uint32_t port) {
    system_call(SYS_write, fd, word(&port), sizeof port);
}

void drain_event_channel(int fd) {
    if (const std::uint32_t port = take_event(fd)) unmask_event_channel(fd, port);
}

Result<DomainId> restrict_event_channel(int fd, DomainId peer) {
    ioctl_evtchn_restrict_domid request{peer};
    const long result =
        system_call(SYS_ioctl, fd, static_cast<long>(IOCTL_EVTCHN_RESTRICT_DOMID), word(&request));
    if (result < 0) return fail(ErrorKind::system, static_cast<int>(-result));
    return peer;
}

void close_event_channel(int fd, std::uint32_t port) {
    ioctl_evtchn_unbind request{port};
    system_call(SYS_ioctl, fd, static_cast<long>(IOCTL_EVTCHN_UNBIND), word(&request));
}

}  // namespace xylem
