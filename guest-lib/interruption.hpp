// Whether an interrupted call goes on after the signal's handler returned (signal(7), SA_RESTART).
#pragma once

#include <signal.h>

#include <cstdint>

namespace xylem {

// What this thread had gone through when a call began.
class Interruption {
  public:
    Interruption();
    // Since then a handler ran that does not ask for restarting: EINTR is due, even if nothing slept yet.
    bool is_due() const;
    // The same for a sleep that a signal ended. Handlers that were installed past this library are judged
    // together: only if every one of them asks for restarting does the call restart.
    bool is_due_after_sleep() const;

  private:
    std::uint32_t before_;
};

// sigaction(2), with the program's view of what is installed.
int install_handler(int signal, const struct sigaction* wanted, struct sigaction* before);
// After somebody else installed a handler or changed its SA_RESTART. Returns `before`, which that somebody
// said was installed, in the program's view.
sighandler_t settle_handler(int signal, sighandler_t before);

}  // namespace xylem
