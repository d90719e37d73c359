// What a waiter leaves in a wake-up slot: which doorbell to ring, which bit of its ready bitmap to set, and a
// count of how often this waiter went to sleep, so that a kicker rings once a sleep and not once a byte.
//   bits 0..31 doorbell id (never 0), bits 32..47 bitmap index, bits 48..63 epoch
#pragma once

#include <cstdint>

namespace xylem {

class WaitToken {
  public:
    constexpr WaitToken() = default;
    constexpr explicit WaitToken(std::uint64_t bits) : bits_(bits) {}
    constexpr WaitToken(std::uint32_t doorbell_id, std::uint16_t index, std::uint16_t epoch)
        : bits_(doorbell_id | (static_cast<std::uint64_t>(index) << 32) |
                (static_cast<std::uint64_t>(epoch) << 48)) {}

    constexpr std::uint64_t bits() const { return bits_; }
    constexpr std::uint32_t doorbell_id() const { return static_cast<std::uint32_t>(bits_); }
    constexpr std::uint16_t index() const { return static_cast<std::uint16_t>(bits_ >> 32); }
    constexpr std::uint16_t epoch() const { return static_cast<std::uint16_t>(bits_ >> 48); }
    constexpr explicit operator bool() const { return doorbell_id() != 0; }

  private:
    std::uint64_t bits_ = 0;
};

}  // namespace xylem
