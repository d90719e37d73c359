// CaptureCourse: programs are read every millisecond, or without a pause while much comes. Several programs
// write at once, each in its own page, so what they wrote is put in order of time before it is written down;
// what is younger than kOrderNs waits for that.
#include "control/cli/capture_course.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <string.h>

#include <algorithm>

#include "control/cli/quantity.hpp"
#include "control/cli/terminal.hpp"
#include "control/protocol/session_page_layout.h"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/memory_check.hpp"

namespace xylem::cli {
namespace {

constexpr std::uint64_t kOrderNs = 50 * kNsPerMs;
constexpr int kPauseMs = 1;
constexpr std::size_t kBusyPieces = 1000;

std::string plural(std::uint64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

CaptureCourse::CaptureCourse(AgentClient agent, std::uint32_t request_id, const CaptureWish& wish,
                             UniqueFd output)
    : agent_(std::move(agent)),
      request_id_(request_id),
      wish_(wish),
      signals_(std::make_unique<StopSignals>()),
      file_(std::make_unique<PcapngWriter>(std::move(output), signals_->fd())),
      packets_(std::make_unique<CapturePackets>(*file_)) {
    ::signal(SIGPIPE, SIG_IGN);
    file_->begin("xylem", fmt::format("xylem-dom{}", agent_.domain()), 0);
}

Outcome<CaptureCourse> CaptureCourse::begin(std::uint32_t domain, const CaptureWish& wish, UniqueFd output) {
    auto agent = AgentClient::open(domain);
    if (!agent) return tl::unexpected(agent.error());
    auto request_id = agent->begin_capture(wish.snap_bytes);
    if (!request_id) return tl::unexpected(request_id.error());
    return CaptureCourse(std::move(*agent), *request_id, wish, std::move(output));
}

Outcome<int> CaptureCourse::run() {
    if (!wish_.is_quiet) {
        fmt::print(stderr, "xylem: capturing in domain {}; Ctrl-C ends it\n", agent_.domain());
    }
    int write_error = file_->flush();  // so that a reader sees the beginning
    bool is_there = true;
    while (is_there && write_error == 0 && signals_->take() == 0) {
        pollfd items[] = {{agent_.fd(), POLLIN, 0}, {signals_->fd(), POLLIN, 0}, {file_->fd(), 0, 0}};
        ::poll(items, 3, is_busy_ ? 0 : kPauseMs);
        if ((items[2].revents & (POLLERR | POLLHUP)) != 0) return finish(EPIPE, false);
        const std::uint64_t moment_ns = now_ns() - kOrderNs;
        is_there = hear_agent();
        read_programs();
        write_read_before(moment_ns);
        write_error = file_->flush();
    }
    return finish(write_error, !is_there);
}

bool CaptureCourse::hear_agent() {
    for (;;) {
        Received answer;
        const Result<std::size_t> got = agent_.take_answer(answer);
        if (!got) return got.error().kind == ErrorKind::would_block;
        if (check_header(answer, kSessionMagic) != HeaderFault::none) return false;
        if (answer.header().request_id == request_id_) note(answer);
    }
}

void CaptureCourse::note(const Received& answer) {
    const auto* captured = answer.as<CapturedMessage>();
    if (captured == nullptr || captured->header.type != static_cast<std::uint16_t>(SessionMessage::captured))
        return;
    const auto state = static_cast<CapturedState>(captured->state);
    if (state == CapturedState::not_yours) ++not_ours_;
    if (state == CapturedState::went) forget(captured->session_id);
    const std::string name(captured->program, ::strnlen(captured->program, sizeof captured->program));
    const std::string program = fmt::format("{} (pid {})", printable(name), captured->pid);
    const auto known = programs_.find(captured->session_id);
    if (state == CapturedState::renamed && known != programs_.end()) known->second.rename(program);
    if (state != CapturedState::came || answer.fd_count != 1) return;
    if (!is_sound_memory(answer.fds[0].get(), sizeof(SessionPage), Access::read_write)) return;
    auto page = Mapping::shared(answer.fds[0].get(), sizeof(SessionPage), PROT_READ | PROT_WRITE);
    if (!page) return;
    programs_.try_emplace(captured->session_id, program, std::move(*page), captured->begin,
                          captured->lost_before);
}

void CaptureCourse::forget(std::uint64_t session_id) {
    const auto found = programs_.find(session_id);
    if (found == programs_.end()) return;
    CaptureReader& reader = found->second;
    reader.read(pieces_, now_ns());
    reader.finish();
    lost_pieces_ += reader.lost_pieces();
    has_skipped_ |= reader.has_skipped();
    if (reader.is_broken()) ++broken_;
    programs_.erase(found);
}

void CaptureCourse::read_programs() {
    const std::uint64_t now = now_ns();
    for (auto& [session_id, reader] : programs_) reader.read(pieces_, now);
    is_busy_ = pieces_.size() - sorted_ > kBusyPieces;
}

// Programs may write any time there, and the clock of the day may be set back.
void CaptureCourse::put_in_order() {
    const std::uint64_t wall_ns = wall_clock_ns();
    const std::uint64_t at_ns = now_ns();
    const auto news = pieces_.begin() + static_cast<std::ptrdiff_t>(sorted_);
    for (auto piece = news; piece != pieces_.end(); ++piece) {
        piece->time_ns = std::min(piece->time_ns, wall_ns);
        piece->read_at_ns = at_ns;
    }
    const auto is_before = [](const CapturedPiece& a, const CapturedPiece& b) {
        return a.time_ns < b.time_ns;
    };
    std::stable_sort(news, pieces_.end(), is_before);
    std::inplace_merge(pieces_.begin(), news, pieces_.end(), is_before);
    sorted_ = pieces_.size();
}

void CaptureCourse::write_read_before(std::uint64_t moment_ns) {
    put_in_order();
    const auto is_old = [moment_ns](const CapturedPiece& piece) { return piece.read_at_ns < moment_ns; };
    // With those that were read later and are from earlier than the last of them.
    const auto end = std::find_if(pieces_.rbegin(), pieces_.rend(), is_old).base();
    for (auto piece = pieces_.begin(); piece != end; ++piece) {
        if (is_wanted(*piece)) packets_->add(*piece);
    }
    pieces_.erase(pieces_.begin(), end);
    sorted_ = pieces_.size();
}

bool CaptureCourse::is_wanted(const CapturedPiece& piece) const {
    return !wish_.port || piece.local.port == *wish_.port || piece.peer.port == *wish_.port;
}

Outcome<int> CaptureCourse::finish(int write_error, bool lost_agent) {
    hear_agent();
    while (!programs_.empty()) forget(programs_.begin()->first);
    write_read_before(kForever);
    const std::uint64_t now = wall_clock_ns();
    // Of which family the lost ones were is not known.
    file_->statistics(now, CaptureLink::ip, packets_->packets(CaptureLink::ip), lost_pieces_);
    file_->statistics(now, CaptureLink::vsock, packets_->packets(CaptureLink::vsock), 0);
    if (write_error == 0) write_error = file_->flush();
    if (write_error == 0 && file_->has_unwritten()) {
        signals_->take();
        return failed(kFailed, fmt::format("stopped before all was written to {}", wish_.path));
    }
    say_sums();
    if (write_error == EPIPE) return kOk;  // who reads it has seen enough
    if (write_error != 0) {
        return failed(kFailed, fmt::format("cannot write {}: {}", wish_.path, ::strerror(write_error)));
    }
    if (lost_agent) return failed(kFailed, fmt::format("the agent of domain {} is gone", agent_.domain()));
    return kOk;
}

void CaptureCourse::say_sums() const {
    if (lost_pieces_ > 0) {
        fmt::print(stderr, "xylem: {}{} lost: programs moved more than this command could follow\n",
                   plural(lost_pieces_, "piece"), has_skipped_ ? " or more" : "");
    }
    if (packets_->untold() > 0) {
        fmt::print(stderr, "xylem: {} of connections that are missing: too many were open at once\n",
                   plural(packets_->untold(), "piece"));
    }
    if (broken_ > 0) {
        fmt::print(stderr, "xylem: the capture of {} ended early: what was written there is no record\n",
                   plural(broken_, "program"));
    }
    if (wish_.is_quiet) return;
    const std::uint64_t packets = packets_->packets(CaptureLink::ip) + packets_->packets(CaptureLink::vsock);
    fmt::print(stderr, "xylem: {} of {}, {} of payload{}\n", plural(packets, "packet"),
               plural(packets_->connections(), "connection"), bytes_text(packets_->payload_bytes()),
               lost_pieces_ == 0 && broken_ == 0 && packets_->untold() == 0 ? "; nothing was lost" : "");
    if (not_ours_ > 0) {
        fmt::print(stderr, "xylem: {} of other users not captured\n", plural(not_ours_, "program"));
    }
}

}  // namespace xylem::cli
