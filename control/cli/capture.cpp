// `xylem capture`: what the programs of a domain move over rings, as a capture file. The programs write it
// into their session pages (guest-lib/capture.hpp); here it is read, put in order and written down.
#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/cli/capture_course.hpp"
#include "control/cli/launch.hpp"
#include "control/cli/quantity.hpp"
#include "control/cli/verb.hpp"
#include "hosts-map/word.hpp"

namespace xylem::cli {
namespace {

namespace po = boost::program_options;

constexpr std::uint64_t kMostSnapBytes = kMaxPieceBytes;
constexpr std::uint64_t kMostPort = 0xFFFF'FFFF;

po::options_description capture_options() {
    po::options_description known;
    add_agent_options(known, "the domain of the programs");
    auto add = known.add_options();
    add("write,w", text_value("FILE"),
        "where to; - is standard output, which is the default where it is no terminal");
    add("snap-length,s", text_value("BYTES"), "of each piece no more than so many bytes; default: all");
    add("port,p", text_value("PORT"), "only connections with this port at one of their ends");
    add("quiet,q", "say nothing on standard error but what goes wrong");
    return known;
}

Outcome<std::optional<std::uint32_t>> read_number(const Arguments& arguments, const char* option,
                                                  std::uint64_t most) {
    const auto text = arguments.value(option);
    if (!text) return std::nullopt;
    const auto number = text::number(*text, most);
    if (number && *number > 0) return static_cast<std::uint32_t>(*number);
    return misused(
        fmt::format("--{} is {}; expected a number from 1 to {}", option, text::in_quotes(*text), most));
}

Outcome<UniqueFd> open_output(const std::string& path) {
    if (path == "-") {
        UniqueFd copy(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!copy)
            return failed(kFailed, fmt::format("cannot write to standard output: {}", ::strerror(errno)));
        if (::isatty(copy.get()) == 0) return copy;
        return misused("capture: a capture file is not for a terminal",
                       "name a file: xylem capture -w FILE, or look at once: xylem capture | tshark -r -");
    }
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!file) return failed(kFailed, fmt::format("cannot write {}: {}", path, ::strerror(errno)));
    return file;
}

// What was there goes only when the agent agreed: another capture may be writing it.
Outcome<void> make_anew(int file, const std::string& path) {
    struct stat status {};
    if (path == "-" || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return {};
    if (::fchmod(file, 0600) == 0 && ::ftruncate(file, 0) == 0) return {};
    return failed(kFailed, fmt::format("cannot write {}: {}", path, ::strerror(errno)));
}

Outcome<int> run_capture(const Arguments& arguments) {
    CaptureWish wish;
    auto agent_wish = read_agent_wish(arguments);
    if (!agent_wish) return tl::unexpected(agent_wish.error());
    auto snap = read_number(arguments, "snap-length", kMostSnapBytes);
    if (!snap) return tl::unexpected(snap.error());
    auto port = read_number(arguments, "port", kMostPort);
    if (!port) return tl::unexpected(port.error());
    wish.snap_bytes = snap->value_or(0);
    wish.port = *port;
    wish.path = arguments.value("write").value_or("-");
    wish.is_quiet = arguments.has("quiet");
    auto output = open_output(wish.path);
    if (!output) return tl::unexpected(output.error());
    if (auto agent = ensure_agent(*agent_wish); !agent) return tl::unexpected(agent.error());
    const int file = output->get();
    auto course = CaptureCourse::begin(agent_wish->domain, wish, std::move(*output));
    if (!course) return tl::unexpected(course.error());
    if (auto made = make_anew(file, wish.path); !made) return tl::unexpected(made.error());
    return course->run();
}

}  // namespace

const Verb kCaptureVerb{
    "capture",
    "write what rings carry into a file for Wireshark",
    "capture [--domain N] [--hosts FILE] [--policy FILE] [--agent-log FILE]\n"
    "    [-w FILE] [-s BYTES] [-p PORT] [-q]",
    "Writes pcapng until interrupted: every byte that programs of the domain send and receive over rings, "
    "under\n"
    "TCP headers that are made up. Programs of other users only root can capture. A connection of which the\n"
    "beginning was not seen has no handshake in the file. Programs never wait for this command: what it "
    "cannot\n"
    "follow is missing in the file, as a gap of sequence numbers, and counted at the end.",
    "xylem capture -w out.pcapng\n"
    "xylem capture --domain 2 -p 6379 -w - | tshark -r - -d tcp.port==6379,redis\n"
    "xylem capture -s 64 -w headers.pcapng",
    capture_options,
    run_capture,
};

}  // namespace xylem::cli
