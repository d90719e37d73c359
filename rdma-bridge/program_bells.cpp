// ProgramBells.
#include "rdma-bridge/program_bells.hpp"

#include "control/protocol/unix_datagram.hpp"
#include "vsock-transport/base/clock.hpp"
#include "vsock-transport/local/memory_check.hpp"

namespace xylem::bridge {
namespace {

constexpr std::uint64_t kUnknownNs = 100 * kNsPerMs;  // ids come from words that any program can write
constexpr std::uint64_t kIdleNs = 10 * kNsPerSecond;
constexpr std::size_t kMostWaiting = 1024;

Mapping area_of(const UniqueFd& area) {
    if (!is_sound_memory(area.get(), kDoorbellAreaBytes, Access::read_write)) return Mapping();
    Result<Mapping> mapped = Mapping::shared(area.get(), kDoorbellAreaBytes, PROT_READ | PROT_WRITE);
    return mapped ? std::move(*mapped) : Mapping();
}

}  // namespace

ProgramBells::Bell& ProgramBells::bell_of(const Key& key) {
    if (bells_.size() >= kMostBells && bells_.count(key) == 0) {
        std::erase_if(bells_, [](const auto& entry) { return !entry.second.is_asked; });
    }
    Bell& bell = bells_[key];
    bell.used_ns = now_ns();
    return bell;
}

void ProgramBells::ring(const Pair& pair, WaitToken token, bool is_sets) {
    const Key key{pair, token.doorbell_id()};
    Bell& bell = bell_of(key);
    if ((bell.doorbell && bell.has_area) != is_sets) return;
    if (bell.doorbell) {
        bell.doorbell.ring(token);
        return;
    }
    if (now_ns() < bell.ask_again_ns) return;
    if (bell.waiting.size() < kMostWaiting) bell.waiting.push_back(token);
    ask(key);
}

bool ProgramBells::is_known(const Pair& pair, WaitToken token, const std::function<void()>& then) {
    const Key key{pair, token.doorbell_id()};
    Bell& bell = bell_of(key);
    if (bell.doorbell || now_ns() < bell.ask_again_ns) return true;
    bell.then.push_back(then);
    ask(key);
    return false;
}

void ProgramBells::ask(const Key& key) {
    if (std::exchange(bell_of(key).is_asked, true)) return;
    auto question = make_message<LinkBellFindMessage>(kLinkMagic, LinkMessage::bell_find, 0);
    question.doorbell_id = key.id;
    AgentLink* link = link_for_(key.pair);
    const bool can_ask = link != nullptr && link->question_count() < AgentLink::kMostQuestions;
    if (!can_ask) return later_([this, key] { on_answer(key, nullptr); });
    link->ask(question, {}, [this, key](Received* answer) { on_answer(key, answer); });
}

void ProgramBells::on_answer(const Key& key, Received* answer) {
    const auto found = bells_.find(key);
    if (found == bells_.end()) return;
    Bell& bell = found->second;
    bell.is_asked = false;
    bell.ask_again_ns = now_ns() + kUnknownNs;
    install(bell, key.id, answer);
    for (const WaitToken token : std::exchange(bell.waiting, {})) {
        if (bell.doorbell) bell.doorbell.ring(token);
    }
    for (const auto& then : std::exchange(bell.then, {})) then();
}

void ProgramBells::install(Bell& bell, std::uint32_t id, Received* answer) {
    const auto* told = answer != nullptr ? answer->as<LinkBellMessage>() : nullptr;
    if (told == nullptr || told->doorbell_id != id ||
        told->kind != static_cast<std::uint32_t>(KickKind::local_socket) ||
        answer->fd_count != (told->has_area != 0 ? 2U : 1U) || !is_unix_datagram(answer->fds[0].get()))
        return;
    Mapping area = told->has_area != 0 ? area_of(answer->fds[1]) : Mapping();
    if (told->has_area != 0 && !area) return;
    bell.has_area = static_cast<bool>(area);
    bell.doorbell.install(KickKind::local_socket, std::move(answer->fds[0]), std::move(area));
}

void ProgramBells::forget_idle() {
    const std::uint64_t now = now_ns();
    std::erase_if(bells_, [now](const auto& entry) {
        const Bell& bell = entry.second;
        return !bell.is_asked && now - bell.used_ns > kIdleNs;
    });
}

}  // namespace xylem::bridge
