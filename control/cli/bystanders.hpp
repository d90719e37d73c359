// Programs of a run whose sockets the guest library does not see, found from outside.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "control/cli/json_field.hpp"
#include "control/protocol/reason.hpp"

namespace xylem::cli {

class Bystanders {
  public:
    // run: the value of XYLEM_RUN in the environment of the run's programs.
    explicit Bystanders(std::string run) : mark_("XYLEM_RUN=" + std::move(run)) {}

    // Looks through /proc once: who has TCP sockets without the library, or an io_uring. Says whether any
    // process of the run is there.
    bool look();
    // One that is known otherwise.
    void add(Reason reason, const std::string& program);
    // Into `bypasses` of a run's report, unless what is there says the same.
    void add_to(Json& report) const;

  private:
    bool look_at(const std::string& process);
    void found(const std::string& process, Reason reason, const std::string& program, bool has_sockets);

    struct Row {
        std::uint64_t times = 0;
        bool has_sockets = false;
    };
    std::string mark_;
    std::set<std::pair<std::string, Reason>> seen_;       // by process
    std::map<std::pair<Reason, std::string>, Row> rows_;  // by program
};

}  // namespace xylem::cli
