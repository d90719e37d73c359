// What the fuzz targets of the agent's two protocols share: reading decisions from the fuzzer's bytes, an
// agent without files and network, and sockets whose other half is the fuzzer's.
#pragma once

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "control/agent/agent.hpp"
#include "control/agent/reaper.hpp"
#include "control/protocol/seqpacket.hpp"
#include "control/protocol/session_page_layout.h"
#include "vsock-transport/local/slab_memfd.hpp"
#include "vsock-transport/wakeup/doorbell_layout.h"

namespace xylem::agent_test {

inline void require(bool holds) {
    if (!holds) std::abort();
}

class FuzzInput {
  public:
    FuzzInput(const std::uint8_t* data, std::size_t size_bytes) : at_(data), left_(size_bytes) {}

    bool is_empty() const { return left_ == 0; }
    std::uint8_t byte() {
        std::uint8_t value = 0;
        fill(&value, 1);
        return value;
    }
    // As much as there is; the rest stays as it was.
    void fill(void* target, std::size_t size_bytes) {
        const std::size_t length = std::min(size_bytes, left_);
        std::memcpy(target, at_, length);
        at_ += length;
        left_ -= length;
    }

  private:
    const std::uint8_t* at_;
    std::size_t left_;
};

struct SocketPair {
    SocketPair() {
        int both[2];
        require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0);
        agents.reset(both[0]);
        ours.reset(both[1]);
    }
    UniqueFd agents;
    UniqueFd ours;
};

// A descriptor of one of the kinds that messages carry, or of another.
inline UniqueFd fuzz_descriptor(std::uint8_t kind) {
    const auto sealed = [](std::size_t size_bytes) {
        auto made = make_sealed_memfd("fuzz", size_bytes);
        return made ? std::move(*made) : UniqueFd();
    };
    switch (kind % 6) {
        case 0:
            return sealed(sizeof(SessionPage));
        case 1:
            return sealed(3 * 4096);
        case 2:
            return sealed(kDoorbellAreaBytes);
        case 3:
            return UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        case 4:
            return UniqueFd(::eventfd(0, EFD_CLOEXEC));
        default:
            return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    }
}

inline void send_with(int socket, const void* bytes, std::size_t size_bytes,
                      const std::vector<UniqueFd>& owned) {
    std::vector<int> fds;
    for (const UniqueFd& fd : owned) {
        if (fd) fds.push_back(fd.get());
    }
    (void)send_message(socket, bytes, size_bytes, fds.data(), static_cast<unsigned>(fds.size()));
}

// One agent for the life of the fuzzer: zero configuration, and a runtime directory that does not exist.
struct FuzzAgent {
    FuzzAgent() {
        ::setenv("XYLEM_RUNTIME_DIR", "/nonexistent/xylem", 1);
        spdlog::set_level(spdlog::level::off);
        agent::Settings settings;
        settings.max_ends = 64;
        settings.max_memory_bytes = 16 << 20;
        settings.max_listeners = 32;
        settings.max_sessions = 32;
        settings.max_bells = 32;
        settings.ring_size_bytes = 4096;
        loop = std::move(*agent::EventLoop::make());
        agent = std::make_unique<agent::Agent>(*loop, settings);
        std::string error;
        require(agent->map.open("/nonexistent/xylem/hosts", false, error));
        agent->links.is_owner = [](std::uint32_t, int) { return true; };
    }
    void turn() {
        for (int i = 0; i < 4; ++i) loop->run_once(0);
    }
    // Ends all sessions; nothing may be left of them.
    void clean_up() {
        std::vector<agent::SessionId> ids;
        agent->sessions.for_each([&](const agent::Session& session) { ids.push_back(session.id); });
        for (const agent::SessionId id : ids) bury(*agent, agent->sessions.find(id));
        std::vector<agent::EndId> queued;  // none: a listener takes its queue with it
        agent->ends.for_each([&](const agent::End& end) { queued.push_back(end.id()); });
        require(queued.empty() && agent->sessions.size() == 0);
        require(agent->listeners.quota().used() == 0 && agent->bells.quota().used() == 0);
        require(agent->runs.empty());
        require(agent->ends.quota().used() == 0 && agent->session_quota.used() == 0);
    }

    std::unique_ptr<agent::EventLoop> loop;
    std::unique_ptr<agent::Agent> agent;
};

}  // namespace xylem::agent_test
