// The course of one capture: from the agent's consent to the closing line.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/cli/agent_client.hpp"
#include "control/cli/capture_packets.hpp"
#include "control/cli/capture_reader.hpp"
#include "control/cli/stop_signals.hpp"

namespace xylem::cli {

struct CaptureWish {
    std::uint32_t snap_bytes = 0;       // 0: all
    std::optional<std::uint32_t> port;  // of either end
    std::string path;                   // for messages
    bool is_quiet = false;
};

class CaptureCourse {
  public:
    // Errors: kFailed if somebody captures already.
    static Outcome<CaptureCourse> begin(std::uint32_t domain, const CaptureWish& wish, UniqueFd output);

    // Until a signal, the end of the agent, or that of who reads the output. Returns an exit code.
    Outcome<int> run();

  private:
    CaptureCourse(AgentClient agent, std::uint32_t request_id, const CaptureWish& wish, UniqueFd output);
    // False: the agent is gone.
    bool hear_agent();
    void note(const Received& answer);
    void read_programs();
    void forget(std::uint64_t session_id);
    void put_in_order();
    // In order of time, what was there already at that moment: what is older has come by now.
    void write_read_before(std::uint64_t moment_ns);
    bool is_wanted(const CapturedPiece& piece) const;
    Outcome<int> finish(int write_error, bool lost_agent);
    void say_sums() const;

    AgentClient agent_;
    std::uint32_t request_id_;
    CaptureWish wish_;
    std::unique_ptr<StopSignals> signals_;
    std::unique_ptr<PcapngWriter> file_;
    std::unique_ptr<CapturePackets> packets_;
    std::map<std::uint64_t, CaptureReader> programs_;  // by session
    std::vector<CapturedPiece> pieces_;                // not written yet
    std::size_t sorted_ = 0;  // so many of them are in order of time; those behind were just read
    std::uint64_t not_ours_ = 0;
    std::uint64_t lost_pieces_ = 0;  // of programs that went
    bool has_skipped_ = false;       // and more, which nobody counted
    std::uint64_t broken_ = 0;
    bool is_busy_ = false;
};

}  // namespace xylem::cli
