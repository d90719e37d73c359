// Memory that RDMA devices may touch, of all wires together: what is registered stays in memory. Rings share
// what --pinned allows, and each node has its share of that. The slots of messages are counted apart, since
// without them there is no link: rings never take their place, and who has not shown the key yet gets few.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace xylem::bridge {

class PinnedMemory {
  public:
    // One node may have as many times what is left for all then (dynamic thresholds: Choudhury and Hahne,
    // 1998): a single one gets most of it, and each that takes what it can leaves a fifth of what it found.
    static constexpr std::uint64_t kMostTimes = 4;
    static constexpr unsigned kMostStrangers = 64;

    explicit PinnedMemory(std::uint64_t most_ring_bytes) : most_ring_bytes_(most_ring_bytes) {}

    // False: it would be more than there is, or than the node's share.
    bool take_ring(const std::string& node, std::uint64_t size_bytes) {
        const std::uint64_t left = most_ring_bytes_ - ring_bytes_;
        if (size_bytes > left || of(node) + size_bytes > kMostTimes * (left - size_bytes)) return false;
        by_node_[node] += size_bytes;
        ring_bytes_ += size_bytes;
        return true;
    }
    void give_back_ring(const std::string& node, std::uint64_t size_bytes) {
        ring_bytes_ -= size_bytes;
        const auto found = by_node_.find(node);
        if ((found->second -= size_bytes) == 0) by_node_.erase(found);
    }
    // A place among those who called and have not shown the key. False: there are too many.
    bool take_stranger() { return strangers_ < kMostStrangers && ++strangers_ != 0; }
    void leave_stranger() { --strangers_; }

    std::uint64_t ring_bytes() const { return ring_bytes_; }
    std::uint64_t most_ring_bytes() const { return most_ring_bytes_; }

  private:
    std::uint64_t of(const std::string& node) const {
        const auto found = by_node_.find(node);
        return found == by_node_.end() ? 0 : found->second;
    }

    const std::uint64_t most_ring_bytes_;
    std::uint64_t ring_bytes_ = 0;
    std::map<std::string, std::uint64_t> by_node_;
    unsigned strangers_ = 0;
};

}  // namespace xylem::bridge
