// Workloads over any channel that carries bytes both ways in order: messages there and back, and messages one
// way. One side asks, the other answers. What the asker finds goes to standard output, one line each:
//
//   latency BYTES SECONDS              a round trip of a message of so many bytes, mean of the run
//   throughput BYTES BYTES_PER_SECOND  written in messages of so many bytes, until the last one was read
//   messages COUNT                     where sizes were named: how many all of it took, shorter runs included
//   load BYTES START END               read between those times of CLOCK_MONOTONIC, in seconds
//   percentile P SECONDS               of round trips, P of 100 of them were no longer; not where hardly any
//                                      were longer
//
// A Channel has write(bytes, size) and read(bytes, size), which move all of it or end the program.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "eval/workloads/measure.hpp"

enum class Workload : std::uint32_t { end, latency, throughput };

// The asker's first words of each run.
struct Run {
    Workload workload;
    std::uint32_t message_bytes;
    std::uint64_t messages;
};

inline constexpr std::uint32_t kLatencySizes[] = {1, 64, 1024, 4096, 16 << 10, 64 << 10};
inline constexpr std::uint32_t kThroughputSizes[] = {64, 1024, 16 << 10, 64 << 10, 1 << 20};
inline constexpr std::uint32_t kMostBytes = 64 << 20;
inline constexpr std::uint32_t kLoadBytes = 64 << 10;
inline constexpr double kLeastSeconds = 0.3;     // a shorter run is repeated with more messages
inline constexpr double kTellingSeconds = 0.02;  // a run of so long tells how many those are
inline constexpr double kLoadSeconds = 0.05;     // of a piece of a load, between two looks at the clock
inline constexpr std::uint64_t kMostMessages = 1 << 24;
inline constexpr unsigned kPermilles[] = {500, 900, 990, 999};  // percentiles, times ten
inline constexpr std::uint64_t kLeastAbove = 10;                // round trips beyond a percentile that counts
inline constexpr std::uint64_t kEnoughMessages = 10'000;        // for all of these to count
inline constexpr std::uint64_t kSpreadMessages = 100;           // between two looks at the clock

// The place of a percentile among so many sorted values: the least that has its share at or below it.
constexpr std::uint64_t rank_of(std::uint64_t count, unsigned permille) {
    return (count * permille + 999) / 1000 - 1;
}
static_assert(rank_of(1, 500) == 0 && rank_of(2, 500) == 0 && rank_of(100, 990) == 98);
static_assert(kEnoughMessages - 1 - rank_of(kEnoughMessages, 999) == kLeastAbove);

inline constexpr char kExchangeUsage[] =
    "  ask [WORKLOAD:BYTES...]     latency and throughput, of all sizes where none is named\n"
    "  load SECONDS [BYTES GATE]   messages one way, of 64 KiB; says `ready` and waits at GATE, a FIFO,\n"
    "                              until somebody opens that for writing\n"
    "  spread BYTES SECONDS GAP MOST_SECONDS\n"
    "                              percentiles of round trips, GAP microseconds after each other;\n"
    "                              it goes on for longer, to MOST_SECONDS, until there are many\n";

// step(bytes, size) moves some of it, or fails with nothing or less; what: its name, for the error.
template <class Bytes, class Step>
void move_all(Bytes* bytes, std::size_t size, const char* what, Step step) {
    while (size > 0) {
        const auto moved = step(bytes, size);
        if (moved <= 0) fail(what);
        bytes += moved;
        size -= static_cast<std::size_t>(moved);
    }
}

template <class Channel>
class Exchange {
  public:
    explicit Exchange(Channel& channel) : channel_(channel) {}

    // Until the asker ends it.
    void answer() {
        for (;;) {
            Run run{};
            channel_.read(&run, sizeof run);
            if (run.workload == Workload::end) return;
            std::vector<char> message(run.message_bytes);
            for (std::uint64_t i = 0; i < run.messages; ++i) {
                channel_.read(message.data(), message.size());
                if (run.workload == Workload::latency) channel_.write(message.data(), message.size());
            }
            if (run.workload == Workload::throughput) channel_.write(message.data(), 1);
        }
    }

    // One of the lines of kExchangeUsage; false: it is none.
    bool ask(const char* verb, int count, char** words) {
        if (strcmp(verb, "ask") == 0) {
            if (!ask_sizes(count, words)) return false;
        } else if (strcmp(verb, "load") == 0 && count >= 1) {
            if (count > 2) wait_at(words[2]);
            load(atof(words[0]), count > 1 ? bytes_of(words[1]) : kLoadBytes);
        } else if (strcmp(verb, "spread") == 0 && count == 4) {
            spread(bytes_of(words[0]), atof(words[1]), static_cast<useconds_t>(atoi(words[2])),
                   atof(words[3]));
        } else {
            return false;
        }
        const Run none{};
        channel_.write(&none, sizeof none);
        fflush(stdout);
        return true;
    }

  private:
    static std::uint32_t bytes_of(const char* word) {
        return static_cast<std::uint32_t>(std::clamp(atol(word), 1L, static_cast<long>(kMostBytes)));
    }

    bool ask_sizes(int count, char** words) {
        for (int i = 0; i < count; ++i) {
            const char* colon = strchr(words[i], ':');
            if (colon == nullptr) return false;
            const auto length = static_cast<std::size_t>(colon - words[i]);
            const bool is_latency = strncmp(words[i], "latency", length) == 0;
            if (!is_latency && strncmp(words[i], "throughput", length) != 0) return false;
            report(is_latency ? Workload::latency : Workload::throughput, bytes_of(colon + 1));
        }
        if (count > 0) printf("messages %llu\n", static_cast<unsigned long long>(all_messages_));
        if (count > 0) return true;
        for (const std::uint32_t size : kLatencySizes) report(Workload::latency, size);
        for (const std::uint32_t size : kThroughputSizes) report(Workload::throughput, size);
        return true;
    }

    void report(Workload workload, std::uint32_t size) {
        const Run run = long_enough(workload, size);
        const auto messages = static_cast<double>(run.messages);
        if (workload == Workload::latency) printf("latency %u %.9f\n", size, seconds_ / messages);
        if (workload == Workload::throughput)
            printf("throughput %u %.0f\n", size, size * messages / seconds_);
    }

    static void wait_at(const char* gate) {
        puts("ready");
        fflush(stdout);
        close(pass_gate(gate));
    }

    // Messages one way for so many seconds, for whoever measures something else meanwhile, or has several.
    void load(double seconds, std::uint32_t size) {
        const double start = now_seconds();
        double end = start;
        double bytes = 0;
        for (Run run{Workload::throughput, size, 4}; end < start + seconds; end = now_seconds()) {
            bytes += size * static_cast<double>(run.messages);
            if (seconds_of(run) < kLoadSeconds && run.messages < kMostMessages) run.messages *= 2;
        }
        printf("load %.0f %.6f %.6f\n", bytes, start, end);
    }

    void spread(std::uint32_t size, double seconds, useconds_t gap_us, double most_seconds) {
        std::vector<char> message(size, 'x');
        std::vector<double> took;
        const double begin = now_seconds();
        const auto goes_on = [&] {
            const double passed = now_seconds() - begin;
            return passed < seconds || (took.size() < kEnoughMessages && passed < most_seconds);
        };
        do {
            const Run run{Workload::latency, size, kSpreadMessages};
            channel_.write(&run, sizeof run);
            for (std::uint64_t i = 0; i < run.messages; ++i) {
                if (gap_us > 0) usleep(gap_us);
                const double start = now_seconds();
                channel_.write(message.data(), size);
                channel_.read(message.data(), size);
                took.push_back(now_seconds() - start);
            }
        } while (goes_on());
        std::sort(took.begin(), took.end());
        for (const unsigned permille : kPermilles) {
            const std::uint64_t rank = rank_of(took.size(), permille);
            if (took.size() - 1 - rank < kLeastAbove) return;  // beyond the next ones are fewer still
            printf("percentile %g %.9f\n", permille / 10.0, took[rank]);
        }
    }

    // The messages double until a run tells how many take long enough.
    Run long_enough(Workload workload, std::uint32_t size) {
        for (Run run{workload, size, 4};;) {
            seconds_ = seconds_of(run);
            if (seconds_ >= kLeastSeconds || run.messages >= kMostMessages) return run;
            const double times =
                seconds_ < kTellingSeconds ? 2 : std::max(2.0, 1.2 * kLeastSeconds / seconds_);
            run.messages = std::min(kMostMessages,
                                    static_cast<std::uint64_t>(static_cast<double>(run.messages) * times));
        }
    }

    double seconds_of(const Run& run) {
        all_messages_ += run.messages;
        std::vector<char> sent(run.message_bytes);
        for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 >> 3);
        std::vector<char> got(run.message_bytes);
        channel_.write(&run, sizeof run);
        const double start = now_seconds();
        for (std::uint64_t i = 0; i < run.messages; ++i) {
            sent.front() = sent.back() = static_cast<char>(i);
            channel_.write(sent.data(), sent.size());
            if (run.workload != Workload::latency) continue;
            channel_.read(got.data(), got.size());
            // Whole messages once a run: comparing is not what is measured.
            if (got.front() != sent.front() || got.back() != sent.back() || (i == 0 && got != sent)) {
                fprintf(stderr, "message %llu came back changed\n", static_cast<unsigned long long>(i));
                exit(1);
            }
        }
        if (run.workload == Workload::throughput) channel_.read(got.data(), 1);
        return now_seconds() - start;
    }

    Channel& channel_;
    double seconds_ = 0;
    std::uint64_t all_messages_ = 0;
};
