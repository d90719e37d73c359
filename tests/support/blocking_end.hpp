// Blocking calls on one end of a connection, as a program would make them: for one thread.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "tests/support/two_domain_bells.hpp"
#include "vsock-transport/stream/blocking.hpp"

namespace xylem::testing_support {

class BlockingEnd {
  public:
    BlockingEnd(Stream& stream, std::function<std::unique_ptr<Sleeper>()> make_sleeper,
                std::uint32_t spin_ns = kDefaultSpinNs)
        : stream_(stream), make_sleeper_(std::move(make_sleeper)) {
        policy_.set_max_ns(spin_ns);
    }

    Stream& stream() { return stream_; }

    WaitResult wait(Direction direction, std::uint64_t deadline_ns = kForever) {
        return wait_until_ready(stream_, direction, policy_, deadline_ns, [this]() -> Sleeper& {
            if (!sleeper_) sleeper_ = make_sleeper_();
            return *sleeper_;
        });
    }

    // All of the bytes, or the error that came first.
    Result<std::size_t> send(std::span<const std::byte> bytes) {
        if (is_turn_at_once() && !bytes.empty() && stream_.send_at_once(bytes.data(), bytes.size()))
            return bytes.size();
        const iovec vector{const_cast<std::byte*>(bytes.data()), bytes.size()};
        IoCursor source(&vector, 1);
        std::size_t total = 0;
        while (source.remaining() > 0) {
            const Result<std::size_t> sent = stream_.send_some(source);
            if (sent) {
                total += *sent;
            } else if (sent.error().kind == ErrorKind::would_block) {
                wait(Direction::writable);
            } else {
                return sent;
            }
        }
        return total;
    }

    // What is there, at least a byte; 0 at the end of the stream.
    Result<std::size_t> receive(std::span<std::byte> bytes, ReceiveMode mode = ReceiveMode::consume) {
        while (true) {
            if (mode == ReceiveMode::consume && is_turn_at_once() && !bytes.empty()) {
                const std::size_t got = stream_.receive_at_once(bytes.data(), bytes.size());
                if (got > 0) return got;
            }
            const iovec vector{bytes.data(), bytes.size()};
            IoCursor destination(&vector, 1);
            const Result<std::size_t> got = stream_.receive_some(destination, mode);
            if (got || got.error().kind != ErrorKind::would_block) return got;
            wait(Direction::readable);
        }
    }

    // All that is asked for, less if the stream ends before.
    Result<std::size_t> receive_all(std::span<std::byte> bytes) {
        std::size_t total = 0;
        while (total < bytes.size()) {
            const Result<std::size_t> got = receive(bytes.subspan(total));
            if (!got) return got;
            if (*got == 0) break;
            total += *got;
        }
        return total;
    }

  private:
    // Every second call takes the short way, where it is one.
    bool is_turn_at_once() { return ++calls_ % 2 == 0; }

    Stream& stream_;
    unsigned calls_ = 0;
    std::function<std::unique_ptr<Sleeper>()> make_sleeper_;
    std::unique_ptr<Sleeper> sleeper_;
    WaitPolicy policy_;
};

}  // namespace xylem::testing_support
