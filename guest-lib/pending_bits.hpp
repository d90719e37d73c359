// A set of small numbers in two levels: a bit a number, and a bit for each word of those that is not zero. So
// finding the few that are set among thousands looks at one word in 4096 numbers, and at what is set.
// In memory of the caller's; not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace xylem {

class PendingBits {
  public:
    PendingBits() = default;
    // For numbers below capacity, a multiple of 64; memory is zero.
    PendingBits(void* memory, int capacity)
        : words_(static_cast<std::uint64_t*>(memory)),
          summary_(words_ + capacity / 64),
          word_count_(capacity / 64) {}

    static std::size_t size_bytes(int capacity) {
        return (static_cast<std::size_t>(capacity) / 64 + summary_words(capacity / 64)) *
               sizeof(std::uint64_t);
    }
    void copy_from(const PendingBits& smaller) {
        for (int w = 0; w < smaller.word_count_; ++w) {
            words_[w] = smaller.words_[w];
            if (words_[w] != 0) summary_[w / 64] |= 1ULL << (w % 64);
        }
    }

    void set(int number) {
        words_[number / 64] |= 1ULL << (number % 64);
        summary_[number / 4096] |= 1ULL << (number / 64 % 64);
    }
    void clear(int number) {
        std::uint64_t& word = words_[number / 64];
        word &= ~(1ULL << (number % 64));
        if (word == 0) summary_[number / 4096] &= ~(1ULL << (number / 64 % 64));
    }
    // The lowest number that is set in [from, to), or -1.
    int next(int from, int to) const {
        if (from >= to) return -1;
        const int first = from / 64;
        const std::uint64_t rest = words_[first] & ~0ULL << (from % 64);
        const int w = rest != 0 ? first : next_word(first + 1);
        if (w < 0) return -1;
        const int number = w * 64 + __builtin_ctzll(rest != 0 ? rest : words_[w]);
        return number < to ? number : -1;
    }

  private:
    static std::size_t summary_words(int words) { return static_cast<std::size_t>(words + 63) / 64; }

    int next_word(int from) const {
        for (int s = from / 64; s * 64 < word_count_; ++s) {
            std::uint64_t bits = summary_[s];
            if (s * 64 < from) bits &= ~0ULL << (from % 64);
            if (bits != 0) return s * 64 + __builtin_ctzll(bits);
        }
        return -1;
    }

    std::uint64_t* words_ = nullptr;
    std::uint64_t* summary_ = nullptr;
    int word_count_ = 0;
};

}  // namespace xylem
