// Idle: a timer that runs while there is no program; sessions of commands do not count.
#include "control/agent/idle.hpp"

#include <spdlog/spdlog.h>

#include "control/agent/agent.hpp"

namespace xylem::agent {

Idle::Idle(Agent& agent) : agent_(agent) {
    if (!agent_.settings.idle_exit_ns) return;
    agent_.sessions.on_change = [this] { look(); };
    look();
}

void Idle::look() {
    if (agent_.sessions.has_programs()) {
        timer_ = Watch();
    } else if (!timer_) {
        timer_ = agent_.loop.after(*agent_.settings.idle_exit_ns, [this] {
            timer_ = Watch();
            if (agent_.sessions.is_somebody_greeting()) return look();
            spdlog::info("no program for {} s: exit", *agent_.settings.idle_exit_ns / kNsPerSecond);
            agent_.loop.stop(0);
        });
    }
}

}  // namespace xylem::agent
