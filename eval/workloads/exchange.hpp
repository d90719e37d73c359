// Two workloads over any channel that carries bytes both ways in order: messages there and back, and messages
// one way. One side asks, the other answers; what the asker finds goes to standard output, one line a size:
//
//   latency BYTES SECONDS              a round trip of a message of so many bytes, mean of the run
//   throughput BYTES BYTES_PER_SECOND  written in messages of so many bytes, until the last one was read
//
// A Channel has write(bytes, size) and read(bytes, size), which move all of it or end the program.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

inline constexpr std::size_t kLatencySizes[] = {1, 64, 1024, 4096, 16 << 10, 64 << 10};
inline constexpr std::size_t kThroughputSizes[] = {64, 1024, 16 << 10, 64 << 10, 1 << 20};
inline constexpr std::size_t kLoadBytes = 64 << 10;
inline constexpr double kLeastSeconds = 0.3;  // a shorter run is repeated with twice the messages
inline constexpr std::uint64_t kMostMessages = 1 << 24;

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

    // seconds: of a load; null: all sizes.
    void play(bool answers, const char* seconds) {
        if (answers) return answer();
        if (seconds != nullptr) return load(atof(seconds), kLoadBytes);
        ask();
    }

  private:
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

    // All sizes of both workloads.
    void ask() {
        for (const std::size_t size : kLatencySizes) {
            const Run run = long_enough(Workload::latency, size);
            printf("latency %zu %.9f\n", size, seconds_ / static_cast<double>(run.messages));
        }
        for (const std::size_t size : kThroughputSizes) {
            const Run run = long_enough(Workload::throughput, size);
            printf("throughput %zu %.0f\n", size,
                   static_cast<double>(size) * static_cast<double>(run.messages) / seconds_);
        }
        end();
    }

    // Messages one way for so many seconds, for whoever measures something else meanwhile.
    void load(double seconds, std::size_t size) {
        const double stop = now_seconds() + seconds;
        double bytes = 0;
        while (now_seconds() < stop) {
            const Run run = long_enough(Workload::throughput, size);
            bytes += static_cast<double>(size) * static_cast<double>(run.messages);
        }
        printf("load %.0f\n", bytes);
        end();
    }

    Run long_enough(Workload workload, std::size_t size) {
        Run run{workload, static_cast<std::uint32_t>(size), 4};
        for (;; run.messages *= 2) {
            seconds_ = seconds_of(run);
            if (seconds_ >= kLeastSeconds || run.messages >= kMostMessages) return run;
        }
    }

    double seconds_of(const Run& run) {
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

    void end() {
        const Run none{};
        channel_.write(&none, sizeof none);
        fflush(stdout);
    }

    Channel& channel_;
    double seconds_ = 0;
};
