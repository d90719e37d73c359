// Scrape: whatever the scraper does costs it its own connection. Nothing here waits, each turn does one
// system call or two, memory is bounded by kMostRequestBytes, and the timer runs from the beginning to the
// end.
#include "control/agent/metrics/scrape.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

namespace xylem::agent {
namespace {

constexpr std::size_t kReadBytes = 4096;
const char* const kNothingElse = "The figures of this agent are at /metrics, for GET and HEAD.\n";

bool is_for_later(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

}  // namespace

Scrape::Scrape(EventLoop& loop, UniqueFd connected, std::function<SharedText()> figures)
    : socket_(std::move(connected)), figures_(std::move(figures)) {
    watch_ = loop.on_ready(socket_.get(), EPOLLIN, [this](std::uint32_t events) { on_ready(events); });
    timer_ = loop.after(kMostNs, [this] { end(); });
    watch_.come_last();
    timer_.come_last();
}

void Scrape::on_ready(std::uint32_t events) {
    if ((events & EPOLLERR) != 0) return end();
    switch (state_) {
        case State::reading:
            return read();
        case State::writing:
            return write();
        case State::draining:
            return drain();
        case State::over:
            break;
    }
}

void Scrape::read() {
    std::array<char, kReadBytes> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (is_for_later(got)) return;
    if (got <= 0) return end();
    received_.append(bytes.data(), static_cast<std::size_t>(got));
    const HttpVerdict verdict = judge_request(received_);
    if (verdict != HttpVerdict::incomplete) answer(verdict);
}

void Scrape::answer(HttpVerdict verdict) {
    state_ = State::writing;
    received_ = {};
    const bool has_figures = verdict == HttpVerdict::figures || verdict == HttpVerdict::head_only;
    body_ = has_figures ? figures_() : std::make_shared<const std::string>(kNothingElse);
    head_ = answer_head(verdict, body_->size());
    if (verdict == HttpVerdict::head_only) body_ = std::make_shared<const std::string>();
    watch_.set_events(EPOLLOUT);
    write();
}

void Scrape::write() {
    const std::size_t of_head = std::min(sent_bytes_, head_.size());
    const std::size_t of_body = sent_bytes_ - of_head;
    std::array<iovec, 2> pieces{{{head_.data() + of_head, head_.size() - of_head},
                                 {const_cast<char*>(body_->data()) + of_body, body_->size() - of_body}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (is_for_later(sent)) return;
    if (sent < 0) return end();
    sent_bytes_ += static_cast<std::size_t>(sent);
    if (sent_bytes_ < head_.size() + body_->size()) return;
    state_ = State::draining;
    body_.reset();
    ::shutdown(socket_.get(), SHUT_WR);
    watch_.set_events(EPOLLIN);
}

void Scrape::drain() {
    std::array<char, kReadBytes> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (is_for_later(got)) return;
    if (got <= 0) return end();
    drained_bytes_ += static_cast<std::size_t>(got);
    if (drained_bytes_ > kMostDrainedBytes) end();
}

// The last thing that a call does: nothing of this may be left afterwards.
void Scrape::end() {
    if (std::exchange(state_, State::over) == State::over) return;
    const std::function<void()> over = std::move(over_);
    if (over) over();
}

}  // namespace xylem::agent
