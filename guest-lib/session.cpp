// Session: opening, asking, and starting over.
// One lock serialises questions, so answers come in order; a late answer to a question that was given up is
// recognised by its request id and dropped. Everything that could block is bounded.
#include "guest-lib/session.hpp"

#include <poll.h>

#include "guest-lib/agent_door.hpp"
#include "guest-lib/capture.hpp"
#include "guest-lib/last_words.hpp"
#include "guest-lib/private_fds.hpp"
#include "guest-lib/probes.hpp"
#include "guest-lib/run.hpp"
#include "guest-lib/session_page.hpp"
#include "guest-lib/socket.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {
namespace {

constinit Session the_session;

HelloMessage make_hello(std::uint64_t clone_of) {
    auto hello = make_message<HelloMessage>(kSessionMagic, SessionMessage::hello, 1);
    hello.clone_of = clone_of;
    hello.has_page = 1;
    std::strncpy(hello.program, program_invocation_short_name, sizeof hello.program - 1);
    return hello;
}

}  // namespace

Session& Session::self() { return the_session; }

Reason failure_of(const Received& answer) {
    const auto* failed = answer_as<FailedMessage>(answer, SessionMessage::failed);
    return failed != nullptr ? static_cast<Reason>(failed->reason) : Reason::bad_request;
}

Result<std::size_t> Session::exchange(const void* message, std::size_t size_bytes, Received& answer,
                                      const int* fds, unsigned fd_count) {
    if (is_sandboxed() || !ensure_open()) return fail(ErrorKind::no_agent);
    return exchange_on(socket_.get(), message, size_bytes, answer, fds, fd_count);
}

Result<std::size_t> Session::exchange_on(int socket, const void* message, std::size_t size_bytes,
                                         Received& answer, const int* fds, unsigned fd_count) {
    const Result<std::size_t> sent = send_message(socket, message, size_bytes, fds, fd_count);
    if (!sent) {
        // A descriptor that another thread closed meanwhile is no fault of the agent.
        if (socket == socket_.get() && sent.error().sys_errno != EBADF) close_socket();
        return fail(ErrorKind::no_agent);
    }
    const std::uint32_t request_id = static_cast<const MessageHeader*>(message)->request_id;
    const std::uint64_t deadline_ns = deadline_after(kAnswerNs);
    for (;;) {
        const Result<std::size_t> ready = wait_readable(socket, deadline_ns);
        if (!ready && ready.error().sys_errno == EINTR) continue;
        if (!ready) return fail(ErrorKind::would_block);
        for (UniqueFd& fd : answer.fds) fd.reset();
        const Result<std::size_t> got = receive_message(socket, answer);
        if (!got && got.error().kind == ErrorKind::would_block) continue;
        if (!got || check_header(answer, kSessionMagic) != HeaderFault::none) {
            if (socket == socket_.get()) close_socket();
            return fail(ErrorKind::no_agent);
        }
        if (answer.header().request_id == request_id) return got;
    }
}

void Session::close_socket() {
    close_private(socket_);
    was_lost_ = true;
    map_.store_release(nullptr);
    retry_after_ns_ = now_ns() + kRetryNs / 20;  // a restarted agent is back soon
}

bool Session::ensure_open() {
    if (socket_) return true;
    if (is_sandboxed()) return false;
    if (now_ns() < retry_after_ns_) return false;
    if (open_socket()) return true;
    retry_after_ns_ = now_ns() + kRetryNs;
    return false;
}

bool Session::open_socket() {
    if (!page_fd_ && !make_session_page(page_fd_, page_)) return false;
    capture_area.store_release(&page()->capture);
    Received welcome;
    Result<UniqueFd> socket = dial_and_greet(0, page_fd_.get(), welcome);
    if (!socket) return false;
    const auto* hello = welcome.as<WelcomeMessage>();
    const bool restarted = boot_id_ != 0 && boot_id_ != hello->agent_boot_id;
    session_id_ = hello->session_id;
    boot_id_ = hello->agent_boot_id;
    own_domain_ = hello->own_domain;
    if (!take_map(welcome)) return false;
    socket_ = make_private(std::move(*socket));
    name_run();
    if (restarted) restarted_.store_release(1);
    return true;
}

// A second session made for a fork child has the first one's run from the agent.
void Session::name_run() {
    if (run_id() == 0) return;
    IdMessage message{};
    message.id = run_id();
    fill(SessionMessage::run, message, 0);
    say(&message, sizeof message);
}

// Tells a new agent everything that the dead one knew of this process; once more if that one dies meanwhile.
// Only where the caller holds no lock of an epoll set: telling takes those.
void Session::rejoin_if_restarted() {
    while (restarted_.load_relaxed() != 0 && restarted_.exchange(0) != 0) rejoin_all();
}

// What the agent has to say of an end it says in the answer to rejoin.
void Session::hear_notice() {
    const std::uint32_t notices = page()->notices.load_acquire();
    if (notices_heard_.exchange(notices) != notices) rejoin_ends();
}

Result<UniqueFd> Session::dial_and_greet(std::uint64_t clone_of, int page_fd, Received& welcome) {
    if (is_sandboxed()) return fail(ErrorKind::no_agent);
    Result<UniqueFd> socket = dial_agent();
    if (!socket) return socket;
    const HelloMessage hello = make_hello(clone_of);
    const Result<std::size_t> answered =
        exchange_on(socket->get(), &hello, sizeof hello, welcome, &page_fd, 1);
    if (!answered) return fail(answered.error());
    if (answer_as<WelcomeMessage>(welcome, SessionMessage::welcome) == nullptr) {
        return fail(ErrorKind::refused);
    }
    return socket;
}

bool Session::take_map(Received& answer) {
    if (answer.fd_count == 0) return false;
    const Result<std::size_t> size_bytes = check_sealed_memfd(answer.fds[0].get(), sizeof(MapTableHeader));
    if (!size_bytes) return false;
    Result<Mapping> table = Mapping::shared(answer.fds[0].get(), *size_bytes, PROT_READ);
    if (!table || !is_map_table(table->bytes(), *size_bytes)) return false;
    map_.store_release(static_cast<const MapTableHeader*>(table->release()));
    return true;
}

void Session::refresh_map() {
    PlainMessage question{};
    fill(SessionMessage::get_map, question, next_request());
    Received answer;
    if (exchange(&question, sizeof question, answer, nullptr, 0)) take_map(answer);
}

// The agent that made an end counts its holders, as long as it lives; without it they do it themselves.
void Session::release_end(Socket& socket, ReleaseMode mode) {
    LockGuard guard(holders_lock_);
    if (socket.is_released.exchange(1) != 0) return;
    AtomicU32& holders = socket.stream.page().holders;
    const auto close_end = [&] {
        if (socket.stream.has_lost_slab()) return;  // the agent does it
        if (is_asked_why()) count_bytes(socket.stream);
        socket.stream.close(mode == ReleaseMode::orderly ? CloseMode::orderly : CloseMode::abort);
        note_close(socket);
    };
    const bool is_makers = socket.made_by_boot_id == boot_id_;
    const bool is_counted = is_makers && !socket.has_unseen_holders;
    const bool is_last = (is_counted ? holders.load_acquire() : holders.fetch_sub(1)) <= 1;
    if (is_last || mode == ReleaseMode::disconnect) close_end();
    // The maker does not know of the others, and would close it.
    if (is_makers && !is_counted && !is_last && mode != ReleaseMode::disconnect) return;
    const bool is_told = tell_release(socket.end_id, mode);
    if (is_counted && !is_told && !is_last && holders.fetch_sub(1) <= 1) close_end();
}

bool Session::tell_release(std::uint64_t end_id, ReleaseMode mode) {
    ReleaseMessage message{};
    message.end_id = end_id;
    message.mode = static_cast<std::uint32_t>(mode);
    return tell(SessionMessage::release, message);
}

bool Session::close_to_keep(Stream& stream) {
    LockGuard guard(holders_lock_);
    if (!is_open() || stream.page().holders.load_acquire() > 1) return false;
    if (is_asked_why()) count_bytes(stream);
    stream.close(CloseMode::keep);
    // The far end may be gone already, and its agent's word of it with it: nobody would tell again.
    return !stream.is_left();
}

// A message without descriptors can be written. The agent empties its sessions; if this one is full it is
// lost.
bool Session::say_in_sandbox(const void* message, std::size_t size_bytes) const {
    pollfd item{socket_.get(), POLLOUT, 0};
    timespec none{};
    if (system_call(SYS_ppoll, word(&item), 1, word(&none), 0, 0) != 1 || item.revents != POLLOUT)
        return false;
    return system_call(SYS_write, socket_.get(), word(message), static_cast<long>(size_bytes)) > 0;
}

bool Session::say(const void* message, std::size_t size_bytes, int fd) {
    if (!socket_) return false;
    if (is_sandboxed()) return say_in_sandbox(message, size_bytes);
    const std::uint64_t deadline_ns = deadline_after(kAnswerNs);
    for (;;) {
        const Result<std::size_t> sent =
            send_message(socket_.get(), message, size_bytes, &fd, fd >= 0 ? 1 : 0);
        if (sent) return true;
        if (sent.error().kind != ErrorKind::would_block || now_ns() >= deadline_ns) return false;
        pollfd item{socket_.get(), POLLOUT, 0};
        timespec pause = to_timespec(10 * kNsPerMs);
        system_call(SYS_ppoll, word(&item), 1, word(&pause), 0, 0);
    }
}

const MapTableHeader* Session::map() {
    const MapTableHeader* table = map_.load_acquire();
    if (table == nullptr || table->superseded.load_acquire() != 0) {
        LockGuard guard(lock_);
        if (!ensure_open()) return nullptr;
        table = map_.load_acquire();
        if (table != nullptr && table->superseded.load_acquire() != 0) refresh_map();
        table = map_.load_acquire();
    }
    rejoin_if_restarted();
    return table;
}

void Session::check() {
    {
        LockGuard guard(lock_);
        if (socket_) {
            pollfd item{socket_.get(), 0, 0};
            timespec none{};
            if (system_call(SYS_ppoll, word(&item), 1, word(&none), 0, 0) > 0) close_socket();
        }
        ensure_open();
    }
    rejoin_if_restarted();
}

// The peers of ends that no agent knows would wait for ever.
void Session::close_unknown_ends() {
    if (!was_lost_ || is_sandboxed()) return;
    check();
    release_all();
}

void Session::before_fork() {
    holders_lock_.lock();
    lock_.lock();
    count_child_as_holder(clone_for_child());
}

bool Session::clone_for_child() {
    if (!socket_) return boot_id_ == 0;
    Received welcome;
    if (!make_session_page(clone_page_fd_, clone_page_)) return false;
    copy_records(*page_.as<SessionPage>(), *clone_page_.as<SessionPage>());
    Result<UniqueFd> socket = dial_and_greet(session_id_, clone_page_fd_.get(), welcome);
    if (!socket) return false;
    clone_ = make_private(std::move(*socket));
    clone_id_ = welcome.as<WelcomeMessage>()->session_id;
    return true;
}

void Session::after_fork_in_parent() {
    close_private(clone_);
    clone_page_.unmap();
    close_private(clone_page_fd_);
    lock_.unlock();
    holders_lock_.unlock();
}

void Session::after_fork_in_child() {
    lock_.reset();
    holders_lock_.reset();
    close_private(socket_);
    close_private(page_fd_);
    if (is_captured()) page_.release();  // the call that a signal handler forked in may be writing there
    capture_area.store_release(nullptr);
    page_ = std::move(clone_page_);
    if (page_) capture_area.store_release(&page()->capture);
    page_fd_ = std::move(clone_page_fd_);
    socket_ = std::move(clone_);
    session_id_ = clone_id_;
    notices_heard_.store_relaxed(0);
    if (!socket_) map_.store_release(nullptr);
    was_lost_ = was_lost_ || is_lost();
    // One word, so that the agent learns whose session it now is: the child may exec at once.
    IdMessage nothing{};
    tell(SessionMessage::bell_free, nothing);
}

}  // namespace xylem
