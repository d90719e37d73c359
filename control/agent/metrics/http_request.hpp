// As much of HTTP/1.x as a scraper needs (RFC 9112): one request without a body, one answer, and the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace xylem::agent {

// Prometheus sends some 300 bytes, a browser 2000.
inline constexpr std::size_t kMostRequestBytes = 8192;

enum class HttpVerdict : std::uint8_t {
    incomplete,   // more has to come
    figures,      // GET /metrics
    head_only,    // HEAD /metrics
    not_found,    // another target
    not_allowed,  // another method
    too_long,     // more than kMostRequestBytes without an end
    bad           // no HTTP/1.x
};

// Of everything that has come so far.
HttpVerdict judge_request(std::string_view received);

// Status line and fields, up to the empty line; what follows has body_bytes.
std::string answer_head(HttpVerdict verdict, std::size_t body_bytes);

}  // namespace xylem::agent
