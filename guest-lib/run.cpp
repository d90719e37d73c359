// Run: a number in the environment that processes inherit. A bypass is one message on a connection of its
// own: the process that reports it may have no session, or be a vfork child, which must leave its parent's
// alone.
#include "guest-lib/run.hpp"

#include <stdlib.h>

#include <cstring>

#include "control/protocol/seqpacket.hpp"
#include "control/protocol/session_protocol.h"
#include "guest-lib/agent_door.hpp"
#include "guest-lib/last_words.hpp"
#include "guest-lib/session.hpp"
#include "vsock-transport/base/atomic.hpp"
#include "vsock-transport/base/sandbox.hpp"

namespace xylem {
namespace {

constinit AtomicU64 the_run;
constinit AtomicU32 asked_why;

// The end of a path says more than its beginning.
void copy_end_of(const char* text, char (&to)[64]) {
    const std::size_t length = std::strlen(text);
    const std::size_t skipped = length < sizeof to ? 0 : length - (sizeof to - 1);
    std::strncpy(to, text + skipped, sizeof to - 1);
}

}  // namespace

void find_run() {
    const char* run = ::secure_getenv("XYLEM_RUN");
    const char* why = ::secure_getenv("XYLEM_WHY");
    if (run != nullptr) the_run.store_relaxed(::strtoull(run, nullptr, 16));
    if (why == nullptr || *why == '\0' || std::strcmp(why, "0") == 0) return;
    asked_why.store_relaxed(1);
    remember_standard_error();
}

std::uint64_t run_id() { return the_run.load_relaxed(); }
bool is_asked_why() { return asked_why.load_relaxed() != 0; }
bool is_watched() { return run_id() != 0 || is_asked_why(); }

void report_bypass(Reason why, const char* program) {
    if (is_sandboxed()) return;
    if (is_asked_why()) say_bypass(why, program);
    if (run_id() == 0) return;
    auto message = make_message<BypassMessage>(kSessionMagic, SessionMessage::bypass, 0);
    message.run_id = run_id();
    message.reason = static_cast<std::uint32_t>(why);
    copy_end_of(program, message.program);
    const Result<UniqueFd> socket = dial_agent_once();
    if (socket) (void)send_message(socket->get(), &message, sizeof message);
}

}  // namespace xylem
