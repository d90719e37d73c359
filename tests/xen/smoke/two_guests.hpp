// One test that runs in both guests at once: who am I, who is the other, what does it say in XenStore, and
// TAP lines.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/xen/smoke/xen_libraries.hpp"

namespace xylem::xen_smoke {

// How long one guest waits for the other. It takes milliseconds, or a minute where many share the cores of
// the machine that emulates them: creating a guest anew did.
inline constexpr std::chrono::seconds kPatience{300};

// Asks again every few milliseconds until `found()` is true; false if it is not in kPatience.
template <typename Found>
bool wait_until(Found found) {
    constexpr std::chrono::milliseconds kStep{20};
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!found()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(kStep);
    }
    return true;
}

class TwoGuests {
  public:
    // `test` goes into the names of this test's nodes, so that tests do not read each other's.
    explicit TwoGuests(const char* test);
    ~TwoGuests();
    TwoGuests(const TwoGuests&) = delete;
    TwoGuests& operator=(const TwoGuests&) = delete;

    // Guest a or guest b, as dom0 named it. What a test calls the granting or asking side is a.
    [[nodiscard]] bool is_a() const { return is_a_; }
    // 1, and one more each time that dom0 created this guest again.
    [[nodiscard]] int life() const { return life_; }

    [[nodiscard]] unsigned own_domid() const { return own_domid_; }
    // As dom0 says now: it changes when the other guest is created again. Waits for it; 0 where there is
    // none.
    [[nodiscard]] unsigned peer_domid() const;

    // Writes data/told/TEST/NAME, which the peer may read.
    bool publish(const std::string& name, const std::string& value);
    // The same, readable by nobody else.
    bool keep(const std::string& name, const std::string& value);
    // Waits until the peer has published NAME; nothing if it does not in kPatience.
    [[nodiscard]] std::optional<std::string> peer_says(const std::string& name) const;
    // Does not wait. errno says why there is nothing.
    [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
    [[nodiscard]] std::string peer_path(const std::string& name) const;

    // One TAP line. Returns `good`, for tests that cannot go on without it.
    bool check(bool good, const char* sentence);
    // The plan, and the exit code of the program.
    int finish() const;

  private:
    [[nodiscard]] std::string node(const std::string& name) const {
        return "data/told/" + test_ + "/" + name;
    }

    xs_handle* store_;
    std::string test_;
    bool is_a_ = false;
    int life_ = 1;
    unsigned own_domid_ = 0;
    int checks_ = 0;
    int failures_ = 0;
};

}  // namespace xylem::xen_smoke
