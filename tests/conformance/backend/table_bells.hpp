// Doorbells of both domains for this suite, of any backend that can make pairs of them
// (two_domain_bells.hpp).
#pragma once

#include "tests/conformance/backend/backend.hpp"

namespace xylem::conformance {

class TableBells final : public Bells {
  public:
    explicit TableBells(const testing_support::BellMaker& maker) : bells_(maker) {}

    std::unique_ptr<Sleeper> make_sleeper(unsigned side) override {
        return testing_support::make_sleeper(bells_, side + 1);
    }
    DoorbellArea* set_area(unsigned side) override { return bells_.set_area(side + 1); }
    std::unique_ptr<Sleeper> make_set_sleeper(unsigned side) override {
        return testing_support::make_set_sleeper(bells_, side + 1);
    }
    WaitToken set_token(unsigned, std::uint16_t index) override {
        return {testing_support::kSetId, index, 0};
    }
    void kick_everybody(unsigned side) override { bells_.kick_everybody(side + 1); }
    void withhold_kicks() override { bells_.withhold_kicks(); }
    testing_support::TwoDomainBells& table() { return bells_; }

  private:
    testing_support::TwoDomainBells bells_;
};

}  // namespace xylem::conformance
