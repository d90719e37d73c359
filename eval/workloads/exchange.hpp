// Two workloads over any channel that carries bytes both ways in order: messages there and back, and messages
// one way. One side asks, the other answers; what the asker finds goes to standard output, one line a size:
//
//   latency BYTES SECONDS              a round trip of a message of so many bytes, mean of the run
//   throughput BYTES BYTES_PER_SECOND  written in messages of so many bytes, until the last one was read
//
// and for one size alone also how many messages it took, shorter runs included: `messages COUNT`.
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

    // word: seconds of a load, or WORKLOAD:BYTES, that alone; null: all sizes.
    void play(bool answers, const char* word) {
        if (answers) return answer();
        if (word == nullptr) return ask();
        if (const char* colon = strchr(word, ':')) return ask_one(word[0] == 'l', colon + 1);
        load(atof(word), kLoadBytes);
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
        for (const std::size_t size : kLatencySizes) report(Workload::latency, size);
        for (const std::size_t size : kThroughputSizes) report(Workload::throughput, size);
        end();
    }

    void ask_one(bool is_latency, const char* bytes) {
        report(is_latency ? Workload::latency : Workload::throughput, static_cast<std::size_t>(atoll(bytes)));
        printf("messages %llu\n", static_cast<unsigned long long>(all_messages_));
        end();
    }

    void report(Workload workload, std::size_t size) {
        const auto messages = static_cast<double>(long_enough(workload, size).messages);
        if (workload == Workload::latency) {
            printf("latency %zu %.9f\n", size, seconds_ / messages);
        } else {
            printf("throughput %zu %.0f\n", size, static_cast<double>(size) * messages / seconds_);
        }
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
            all_messages_ += run.messages;
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
    std::uint64_t all_messages_ = 0;
};
