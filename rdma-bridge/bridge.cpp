// Bridge: its places, and the turns of its one thread.
//
//   turn   take what descriptors have, look at the areas that programs mark, give each queued connection its
//          turn, send
//   sleep  after a time without anything to do, which is the shorter the more often such a time found nothing
//          (vsock-transport/wakeup/wait_policy.hpp): say in all areas that the bridge sleeps, look once more,
//          wait for a descriptor, at most a second; a kick that is lost costs that second
//          (vsock-transport/wakeup/recipe.hpp)
#include "rdma-bridge/bridge.hpp"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/protocol/remote_domain.hpp"
#include "control/protocol/runtime_paths.hpp"
#include "control/protocol/unix_address.hpp"
#include "rdma-bridge/node_name.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

constexpr int kBacklog = 1024;
constexpr std::uint64_t kFullScanNs = kNsPerSecond;

std::uint64_t random_id() {
    std::uint64_t id = 0;
    if (::getrandom(&id, sizeof id, 0) != sizeof id || id == 0) id = now_ns() | 1;
    return id;
}

std::string errno_text() { return ::strerrordesc_np(errno); }

}  // namespace

UniqueFd Bridge::listen_at(const char* path, int kind, std::string& error) {
    UniqueFd fd(::socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = unix_address(path);
    ::unlink(path);  // we hold the lock: whoever bound it is dead
    const bool listens =
        fd && address &&
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 &&
        ::listen(fd.get(), kBacklog) == 0 && ::chmod(path, 0777) == 0;
    if (listens) return fd;
    error = fmt::format("{}: cannot listen there: {}", path, errno_text());
    return UniqueFd();
}

Bridge::Bridge(Poller& poller, NodeKey key, Settings settings)
    : poller_(poller),
      key_(std::move(key)),
      settings_(std::move(settings)),
      boot_id_(random_id()),
      random_(static_cast<std::minstd_rand::result_type>(boot_id_)),
      program_bells_([this](const Pair& pair) { return out_link(pair); },
                     [this](std::function<void()> call) { poller_.after(0, std::move(call)); }),
      last_bell_(static_cast<std::uint32_t>(boot_id_) & 0x3FFF'FFFF) {}

Bridge::~Bridge() {
    if (agent_socket_) ::unlink(bridge_socket().text);
    if (report_socket_) ::unlink(bridge_report_socket().text);
}

// As hosts maps call this node.
SocketName Bridge::own_name() const {
    return name_of(*node_address(settings_.name.empty() ? settings_.listen : settings_.name));
}

bool Bridge::begin(std::string& error) {
    const std::string fabric = fabric_directory().text;
    const std::string lock = fabric + "/bridge.lock";
    for (const std::string& folder : {std::string(runtime_directory().text), fabric})
        ::mkdir(folder.c_str(), 0700);
    lock_.reset(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        error = errno == EWOULDBLOCK ? fmt::format("another bridge serves this node ({} is locked)", lock)
                                     : fmt::format("{}: {}", lock, errno_text());
        return false;
    }
    if (!open_verbs(error) || !listen_for_nodes(error)) return false;
    agent_socket_ = listen_at(bridge_socket().text, SOCK_SEQPACKET, error);
    if (!agent_socket_ || !serve_reports(error)) return false;
    const NodeText name = node_text(own_name());
    if (!name_own_node(name.text)) {
        error = fmt::format("{}: {}", own_node_path().text, errno_text());
        return false;
    }
    poller_.add(agent_socket_.get(), EPOLLIN, [this](std::uint32_t) { accept_agents(); });
    look_now_and_then();
    be_young();
    spdlog::info("agents: {}; nodes: {} port {}", bridge_socket().text, settings_.listen, settings_.port);
    return true;
}

bool Bridge::run() {
    WaitPolicy policy;
    policy.set_max_ns(static_cast<std::uint32_t>(settings_.spin_ns));
    while (!is_stopped_) {
        if (!turn() && !has_come(policy)) sleep();
    }
    return !has_failed_;
}

// Looks for a while. The policy's own loop is for looks that cost nothing; a turn is system calls.
bool Bridge::has_come(WaitPolicy& policy) {
    const std::uint64_t budget_ns = policy.next_budget_ns();
    if (budget_ns == 0) return false;
    for (const std::uint64_t begin_ns = now_ns(); now_ns() - begin_ns < budget_ns;) {
        if (!turn() && !is_stopped_) continue;
        policy.won();
        return true;
    }
    policy.lost();
    return false;
}

void Bridge::fail(const char* why) {
    spdlog::error("{}: connections wait for a bridge that is started again", why);
    has_failed_ = true;
    stop();
}

bool Bridge::turn() {
    bool is_busy = poller_.run_once(0);
    for_each_link([&](NodeLink& link) { is_busy |= link.poll(); });
    is_busy |= collect(false);
    is_busy |= run_turns();
    for_each_link([](NodeLink& link) { link.flush(); });
    is_busy |= has_turns();
    dead_agents_.clear();
    std::erase_if(dead_nodes_, [](const auto& link) { return !link->wire().lingers(); });
    return is_busy;
}

// One that breaks over it is not destroyed, but may leave its place.
template <class Call>
void Bridge::for_each_link(Call call) {
    for (const auto& [text, node] : dialled_) {
        if (node.dialled != nullptr) call(*node.dialled);
    }
    for (std::size_t i = 0; i < listened_.size(); ++i) call(*listened_[i]);
}

bool Bridge::collect(bool full_scan) {
    bool is_any = false;
    for (const auto& [pair, bells] : own_bells_) {
        for (const auto& bell : bells) {
            if (!full_scan && !bell->area().has_ready()) continue;
            bell->area().collect(full_scan, [&](unsigned bit) {
                const auto found = by_bit_.find(std::uint64_t{bell->id()} << 16 | bit);
                if (found != by_bit_.end()) queue(found->second);
                is_any = true;
            });
        }
    }
    return is_any;
}

void Bridge::sleep() {
    const auto show = [this](bool sleeping) {
        for (const auto& [pair, bells] : own_bells_) {
            for (const auto& bell : bells) bell->area().set_sleeping(sleeping);
        }
    };
    show(true);
    full_fence();  // (W1) pairs with doorbell.cpp mark_ready()
    bool is_busy = collect(false);
    for_each_link([&](NodeLink& link) { is_busy |= link.arm(); });
    if (!is_busy && !has_turns()) poller_.run_once(kFullScanNs);
    show(false);
    collect(true);
}

}  // namespace xylem::bridge
