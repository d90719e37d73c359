// A request is its first line; fields are read past, and so is a body. Nothing is answered before the empty
// line after the fields has come, but where the request is longer than any should be, or no HTTP at all.
#include "control/agent/metrics/http_request.hpp"

#include <fmt/format.h>

namespace xylem::agent {
namespace {

constexpr std::string_view kFiguresType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kErrorType = "text/plain; charset=utf-8";

bool has_all_fields(std::string_view received) {
    return received.find("\r\n\r\n") != received.npos || received.find("\n\n") != received.npos;
}

HttpVerdict judge_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t method_end = line.find(' ');
    const std::size_t target_end = line.rfind(' ');
    if (method_end == line.npos || method_end == 0 || target_end <= method_end + 1) return HttpVerdict::bad;
    const std::string_view method = line.substr(0, method_end);
    const std::string_view version = line.substr(target_end + 1);
    std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return HttpVerdict::bad;
    target = target.substr(0, target.find('?'));
    if (target != "/metrics") return HttpVerdict::not_found;
    if (method == "HEAD") return HttpVerdict::head_only;
    return method == "GET" ? HttpVerdict::figures : HttpVerdict::not_allowed;
}

std::string_view status_of(HttpVerdict verdict) {
    switch (verdict) {
        case HttpVerdict::figures:
        case HttpVerdict::head_only:
            return "200 OK";
        case HttpVerdict::not_found:
            return "404 Not Found";
        case HttpVerdict::not_allowed:
            return "405 Method Not Allowed";
        case HttpVerdict::too_long:
            return "431 Request Header Fields Too Large";
        case HttpVerdict::incomplete:
        case HttpVerdict::bad:
            break;
    }
    return "400 Bad Request";
}

}  // namespace

HttpVerdict judge_request(std::string_view received) {
    if (!has_all_fields(received))
        return received.size() >= kMostRequestBytes ? HttpVerdict::too_long : HttpVerdict::incomplete;
    return judge_line(received.substr(0, received.find('\n')));
}

std::string answer_head(HttpVerdict verdict, std::size_t body_bytes) {
    const bool is_ok = verdict == HttpVerdict::figures || verdict == HttpVerdict::head_only;
    return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n",
                       status_of(verdict), is_ok ? kFiguresType : kErrorType, body_bytes,
                       verdict == HttpVerdict::not_allowed ? "Allow: GET, HEAD\r\n" : "");
}

}  // namespace xylem::agent
