// Bytes for tests: reproducible random numbers, a stream whose byte at position p is known, and a 64-bit
// checksum that does not depend on how the stream was cut into pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace xylem::testing_support {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {  // splitmix64
        std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    // 1 to limit, small numbers as likely as large ones.
    std::size_t length(std::size_t limit) {
        const std::uint64_t bits = static_cast<std::uint64_t>(64 - __builtin_clzll(limit));
        return static_cast<std::size_t>(1 + below(1ULL << below(bits)) % limit);
    }

  private:
    std::uint64_t state_;
};

// Byte p of the stream is pool[p % size]; size is odd, so that no ring size hides a shift.
class Pattern {
  public:
    explicit Pattern(std::uint64_t seed, std::size_t size_bytes = (1 << 20) + 7) : bytes_(size_bytes) {
        Random random(seed);
        for (std::byte& byte : bytes_) byte = static_cast<std::byte>(random.next() >> 56);
    }
    // Up to length bytes from position on; less where the pool ends.
    std::span<const std::byte> at(std::uint64_t position, std::size_t length) const {
        const std::size_t offset = position % bytes_.size();
        return std::span(bytes_).subspan(offset, std::min(length, bytes_.size() - offset));
    }
    bool matches(std::uint64_t position, std::span<const std::byte> bytes) const {
        while (!bytes.empty()) {
            const auto expected = at(position, bytes.size());
            if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0) return false;
            position += expected.size();
            bytes = bytes.subspan(expected.size());
        }
        return true;
    }

  private:
    std::vector<std::byte> bytes_;
};

// Four lanes of multiply and rotate over 32-byte blocks. Any lost, doubled, changed or moved byte shows.
class Checksum {
  public:
    void add(std::span<const std::byte> bytes) {
        length_ += bytes.size();
        if (held_ > 0) {
            const std::size_t n = std::min(bytes.size(), kBlock - held_);
            std::memcpy(block_ + held_, bytes.data(), n);
            held_ += n;
            bytes = bytes.subspan(n);
            if (held_ < kBlock) return;
            mix(block_);
            held_ = 0;
        }
        for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) mix(bytes.data());
        if (!bytes.empty()) std::memcpy(block_, bytes.data(), bytes.size());
        held_ = bytes.size();
    }
    std::uint64_t value() const {
        std::uint64_t sum = length_ * kFactor;
        for (const std::uint64_t lane : lanes_) sum = (sum ^ lane) * kFactor ^ (sum >> 29);
        for (std::size_t i = 0; i < held_; ++i) {
            sum = (sum ^ static_cast<std::uint64_t>(block_[i])) * kFactor;
        }
        return sum ^ (sum >> 32);
    }
    std::uint64_t length() const { return length_; }

  private:
    static constexpr std::size_t kBlock = 32;
    static constexpr std::uint64_t kFactor = 0x9E37'79B1'85EB'CA87;

    void mix(const std::byte* block) {
        for (std::size_t i = 0; i < 4; ++i) {
            std::uint64_t word = 0;
            std::memcpy(&word, block + 8 * i, 8);
            const std::uint64_t lane = (lanes_[i] ^ word) * kFactor;
            lanes_[i] = (lane << 31) | (lane >> 33);
        }
    }

    std::uint64_t lanes_[4] = {1, 2, 3, 4};
    std::byte block_[kBlock] = {};
    std::size_t held_ = 0;
    std::uint64_t length_ = 0;
};

}  // namespace xylem::testing_support
