// A wire that is a TCP connection.
#pragma once

#include "rdma-bridge/poller.hpp"
#include "rdma-bridge/wire.hpp"

namespace xylem::bridge {

class TcpWire : public Wire {
  public:
    // A socket that is connected, or (is_dialled) about to be.
    TcpWire(Poller& poller, UniqueFd socket, bool is_dialled);
    ~TcpWire() override;

    void begin(Events events) override;
    std::size_t send(const iovec* parts, int count) override;
    std::size_t receive(std::byte* bytes, std::size_t room_bytes) override;
    SocketName peer_name() const override;
    SocketName own_name() const override;
    const char* name() const override { return "TCP"; }
    void shut(bool has_last_words) override;

  private:
    SocketName name_by(int (*ask)(int, sockaddr*, socklen_t*)) const;
    void on_ready(std::uint32_t events);
    void watch_writing(bool wanted);
    void fail(const std::string& why);

    Poller& poller_;
    UniqueFd socket_;
    Events events_;
    bool is_connecting_;
    bool is_shut_ = false;
    bool waits_to_write_;
};

}  // namespace xylem::bridge
