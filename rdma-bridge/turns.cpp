#include "rdma-bridge/turns.hpp"

#include <algorithm>

#include "rdma-bridge/connection.hpp"

namespace xylem::bridge {
namespace {

constexpr std::size_t kTurnBytes = sizeof(UpdateFrame);

ConnectionPtr take_front(std::deque<ConnectionPtr>& queue) {
    ConnectionPtr connection = std::move(queue.front());
    queue.pop_front();
    connection->place.is_waiting = false;
    return connection;
}

}  // namespace

void Turns::add(const ConnectionPtr& connection) {
    Place& place = connection->place;
    if (std::exchange(place.is_waiting, true)) return;
    if (empty()) ++round_;  // a link that nobody waits for is shared by nobody
    if (place.round != round_) place = {true, round_, 0};
    (place.spent_bytes < kShareBytes ? first_ : rest_).push_back(connection);
}

ConnectionPtr Turns::next() {
    if (!first_.empty()) return take_front(first_);
    if (left_of_round_ == 0) {
        ++round_;
        left_of_round_ = rest_.size();
    }
    --left_of_round_;
    ConnectionPtr connection = take_front(rest_);
    connection->place = {false, round_, 0};
    return connection;
}

std::size_t Turns::left_bytes(const Connection& connection) {
    return kShareBytes - std::min(kShareBytes, connection.place.spent_bytes);
}

void Turns::spend(Connection& connection, std::size_t bytes) {
    connection.place.spent_bytes += bytes + kTurnBytes;
}

void Turns::clear() {
    for (auto* queue : {&first_, &rest_}) {
        while (!queue->empty()) take_front(*queue);
    }
    left_of_round_ = 0;
}

}  // namespace xylem::bridge
