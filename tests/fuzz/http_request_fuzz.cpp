// Feeds any bytes to the judge of what scrapers send. Whatever it says must hold together:
// - of a request that comes in pieces, each answer but `incomplete` stays what it is when more comes;
// - figures are given only to what begins with GET or HEAD;
// - no request is waited for beyond kMostRequestBytes, and an answer is always one head with an empty line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "control/agent/metrics/http_request.hpp"
#include "tests/fuzz/diagnostics_check.hpp"

namespace {

using namespace xylem;
using namespace xylem::agent;

void check_answer(HttpVerdict verdict, std::size_t body_bytes) {
    const std::string head = answer_head(verdict, body_bytes);
    require(head.starts_with("HTTP/1.1 "));
    require(head.find("\r\n\r\n") == head.size() - 4);
    require(head.find("Content-Length: " + std::to_string(body_bytes) + "\r\n") != head.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
    const std::string_view request(reinterpret_cast<const char*>(data), size_bytes);
    HttpVerdict first = HttpVerdict::incomplete;
    for (std::size_t there = 0; there <= size_bytes && first == HttpVerdict::incomplete; ++there)
        first = judge_request(request.substr(0, there));
    const HttpVerdict whole = judge_request(request);
    require(first != HttpVerdict::incomplete || size_bytes < kMostRequestBytes);
    // What was too long is answered before an end can come.
    require(first == whole || first == HttpVerdict::too_long);
    require(whole != HttpVerdict::figures || request.starts_with("GET "));
    require(whole != HttpVerdict::head_only || request.starts_with("HEAD "));
    check_answer(whole, size_bytes);
    return 0;
}
