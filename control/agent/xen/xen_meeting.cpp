// XenMeeting: text and back.
#include "control/agent/xen/xen_meeting.hpp"

#include <fmt/format.h>

#include <sstream>

namespace xylem::agent {
namespace {

constexpr std::size_t kMostRingRefs = 64;

}  // namespace

std::string XenMeeting::text() const {
    std::string text = fmt::format("{} {:x} {:x} {:x}", kVersion, life, for_life, offer_id);
    if (!refs.empty()) text += fmt::format(" {} {}", port, fmt::join(refs, " "));
    return text;
}

std::optional<XenMeeting> XenMeeting::parse(const std::string& text) {
    std::istringstream words(text);
    unsigned version = 0;
    XenMeeting meeting;
    words >> version >> std::hex >> meeting.life >> meeting.for_life >> meeting.offer_id >> std::dec;
    if (!words || version != kVersion || meeting.life == 0) return std::nullopt;
    if (words >> meeting.port) {
        for (GrantRef ref = 0; words >> ref;) meeting.refs.push_back(ref);
        if (meeting.refs.empty() || meeting.refs.size() > kMostRingRefs) return std::nullopt;
    }
    if (!words.eof()) return std::nullopt;
    return meeting;
}

std::string XenMeeting::own_path(DomainId peer) { return fmt::format("data/xylem/{}", peer); }

std::string XenMeeting::peers_path(DomainId own, DomainId peer) {
    return fmt::format("/local/domain/{}/data/xylem/{}", peer, own);
}

}  // namespace xylem::agent
