// Socket: the memory of an end that the agent handed out, mapped.
#include <errno.h>
#include <sys/mman.h>

#include "guest-lib/bells.hpp"
#include "guest-lib/session.hpp"
#include "guest-lib/socket.hpp"

namespace xylem {
namespace {

// A peer in another guest can take back its pages before they are mapped. As where a TCP peer resets a
// connection that waits to be accepted, there is one then, and it was reset.
bool was_withdrawn(const Result<Mapping>& slab) { return !slab && slab.error().sys_errno == EINVAL; }

}  // namespace

Result<std::size_t> Socket::open_end(const Received& attached) {
    const auto* message = answer_as<AttachedMessage>(attached, SessionMessage::attached);
    if (message == nullptr || attached.fd_count != 2) return fail(ErrorKind::bad_layout);
    end_id = message->end_id;
    made_by_boot_id = message->agent_boot_id;
    constexpr int kBoth = PROT_READ | PROT_WRITE;
    Result<Mapping> shared = Mapping::shared(attached.fds[0].get(), message->slab_bytes, kBoth);
    const bool is_withdrawn = was_withdrawn(shared);
    Result<Mapping> slab = is_withdrawn ? Mapping::anonymous(message->slab_bytes) : std::move(shared);
    if (!slab) return fail(slab.error());
    Result<Mapping> page = Mapping::shared(attached.fds[1].get(), kEndPageBytes, kBoth);
    if (!page) return fail(page.error());
    Result<Stream> opened = Stream::open(std::move(*slab), std::move(*page), bell_ringer());
    if (!opened) return fail(opened.error());
    stream = std::move(*opened);
    if (is_withdrawn) {
        stream.lose_slab();
    } else {
        stream.say_held(message->holder);
    }
    return std::size_t{0};
}

Result<std::size_t> Socket::attach(int fd, const Received& attached) {
    const Result<std::size_t> opened = open_end(attached);
    if (!opened) return opened;
    const EndPage& page = stream.page();
    receive_timeout_ns.store_relaxed(page.receive_timeout_ns.load_relaxed());
    send_timeout_ns.store_relaxed(page.send_timeout_ns.load_relaxed());
    low_water_bytes.store_relaxed(page.low_water_bytes.load_relaxed());
    abort_on_close.store_relaxed(page.abort_on_close.load_relaxed());
    become_ring(fd);
    return opened;
}

}  // namespace xylem
