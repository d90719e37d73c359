#include "control/agent/metrics/http_request.hpp"

#include <gtest/gtest.h>

namespace xylem::agent {
namespace {

TEST(HttpRequest, a_scrape_is_answered_as_soon_as_its_fields_have_come) {
    const std::string whole = "GET /metrics HTTP/1.1\r\nHost: a:1\r\n\r\n";
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_EQ(judge_request(whole.substr(0, length)), HttpVerdict::incomplete) << length;
    EXPECT_EQ(judge_request(whole), HttpVerdict::figures);
    EXPECT_EQ(judge_request("GET /metrics?name[]=up HTTP/1.0\r\n\r\n"), HttpVerdict::figures);
    EXPECT_EQ(judge_request("GET /metrics HTTP/1.0\n\n"), HttpVerdict::figures);
    EXPECT_EQ(judge_request("HEAD /metrics HTTP/1.1\r\n\r\n"), HttpVerdict::head_only);
}

TEST(HttpRequest, other_targets_methods_and_versions_are_refused) {
    EXPECT_EQ(judge_request("GET / HTTP/1.1\r\n\r\n"), HttpVerdict::not_found);
    EXPECT_EQ(judge_request("GET /metrics/ HTTP/1.1\r\n\r\n"), HttpVerdict::not_found);
    EXPECT_EQ(judge_request("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
              HttpVerdict::not_allowed);
    EXPECT_EQ(judge_request("get /metrics HTTP/1.1\r\n\r\n"), HttpVerdict::not_allowed);
    for (const char* bad :
         {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /metrics\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
          " /metrics HTTP/1.1\r\n\r\n", "\r\n\r\n", "\x16\x03\x01\n\n"})
        EXPECT_EQ(judge_request(bad), HttpVerdict::bad) << bad;
}

TEST(HttpRequest, one_without_an_end_is_too_long_at_a_bound) {
    const std::string endless(kMostRequestBytes, 'x');
    EXPECT_EQ(judge_request(endless.substr(1)), HttpVerdict::incomplete);
    EXPECT_EQ(judge_request(endless), HttpVerdict::too_long);
}

TEST(HttpRequest, the_answer_says_what_follows_and_that_it_is_the_last) {
    EXPECT_EQ(answer_head(HttpVerdict::figures, 17),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
              "Content-Length: 17\r\nConnection: close\r\n\r\n");
    EXPECT_NE(answer_head(HttpVerdict::not_allowed, 0).find("405 Method Not Allowed"), std::string::npos);
    EXPECT_NE(answer_head(HttpVerdict::not_allowed, 0).find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_EQ(answer_head(HttpVerdict::not_found, 0).find("HTTP/1.1 404 "), 0U);
    EXPECT_EQ(answer_head(HttpVerdict::bad, 0).find("HTTP/1.1 400 "), 0U);
    EXPECT_EQ(answer_head(HttpVerdict::too_long, 0).find("HTTP/1.1 431 "), 0U);
}

}  // namespace
}  // namespace xylem::agent
