// LiveScreen: sequences of ECMA-48 and xterm that every terminal emulator knows. Signals that would end or
// stop the process are read from a descriptor, so that the terminal is put back first, whatever happens; and
// a window of another size is drawn at once.
#include "control/cli/live_screen.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <string_view>

#include "control/cli/terminal.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::cli {
namespace {

constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[2J";  // other screen, no cursor, cleared
constexpr std::string_view kLeave = "\033[?25h\033[?1049l";
constexpr std::string_view kHome = "\033[H";
constexpr std::string_view kClearLine =
    "\033[K";  // from the cursor on; behind a full line its last character
constexpr std::string_view kEndOfScreen = "\033[J";
constexpr LiveScreen::Size kUsualSize{80, 24};

bool write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

sigset_t watched_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) ::sigaddset(&set, signal);
    return set;
}

// As without LiveScreen: the kernel stops nobody whom no shell could continue.
void stop_this_process() {
    sigset_t stop;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTSTP);
    ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
    ::raise(SIGTSTP);
    ::sigprocmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace

bool LiveScreen::is_possible() {
    const char* terminal = ::getenv("TERM");
    const bool is_plain = terminal == nullptr || std::string_view(terminal) == "dumb";
    return ::isatty(STDOUT_FILENO) == 1 && !is_plain;
}

LiveScreen::LiveScreen() : has_keys_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    const sigset_t set = watched_signals();
    ::sigprocmask(SIG_BLOCK, &set, &mask_before_);
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    enter();
}

LiveScreen::~LiveScreen() {
    leave();
    if (end_signal_ != 0) ::raise(end_signal_);
    ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void LiveScreen::enter() const {
    if (has_keys_) {
        termios raw = before_;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    write_all(kEnter);
}

void LiveScreen::leave() const {
    write_all(kLeave);
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

LiveScreen::Size LiveScreen::size() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return kUsualSize;
    return {size.ws_col, size.ws_row};
}

bool LiveScreen::draw(const std::vector<std::string>& lines) const {
    std::string frame(kHome);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i != 0) frame += "\r\n";
        frame += kClearLine;
        frame += painted(lines[i], i == 1 ? Paint::heading : Paint::none, colours_on(stdout));
    }
    frame += kEndOfScreen;
    return write_all(frame);
}

LiveScreen::Event LiveScreen::wait(std::uint64_t deadline_ns) {
    const std::uint64_t now = now_ns();
    const timespec left = to_timespec(deadline_ns > now ? deadline_ns - now : 0);
    pollfd fds[2] = {{signals_.get(), POLLIN, 0}, {has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::ppoll(fds, 2, &left, nullptr) <= 0) return Event::time;
    if (fds[0].revents != 0) return on_signal();
    return on_key();
}

LiveScreen::Event LiveScreen::on_signal() {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) return Event::resized;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH) return Event::resized;
    if (signal == SIGTSTP) {
        leave();
        stop_this_process();
        enter();
        return Event::resized;
    }
    end_signal_ = signal;
    return Event::quit;
}

LiveScreen::Event LiveScreen::on_key() {
    char key = 0;
    const ssize_t got = ::read(STDIN_FILENO, &key, 1);
    if (got < 0 && errno != EINTR && errno != EAGAIN) return Event::quit;
    if (got == 0) has_keys_ = false;  // it was hung up: no key will come
    if (got == 1 && (key == 'q' || key == 'Q')) return Event::quit;
    return got == 1 && (key == 's' || key == 'S') ? Event::next_sort : Event::resized;
}

}  // namespace xylem::cli
