// Limits. A Lease takes its share back when it is destroyed; a quota outlives its leases.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace xylem::agent {

class Quota {
  public:
    class Lease {
      public:
        Lease() = default;
        Lease(Lease&& other) noexcept
            : quota_(std::exchange(other.quota_, nullptr)), amount_(other.amount_) {}
        Lease& operator=(Lease&& other) noexcept {
            if (this != &other) {
                give_back();
                quota_ = std::exchange(other.quota_, nullptr);
                amount_ = other.amount_;
            }
            return *this;
        }
        ~Lease() { give_back(); }

      private:
        friend class Quota;
        Lease(Quota& quota, std::uint64_t amount) : quota_(&quota), amount_(amount) {}
        void give_back() {
            if (quota_ != nullptr) std::exchange(quota_, nullptr)->used_ -= amount_;
        }
        Quota* quota_ = nullptr;
        std::uint64_t amount_ = 0;
    };

    explicit Quota(std::uint64_t limit) : limit_(limit) {}
    Quota(const Quota&) = delete;
    Quota& operator=(const Quota&) = delete;

    // Nothing if the limit would be passed.
    std::optional<Lease> take(std::uint64_t amount = 1) {
        if (amount > limit_ || used_ > limit_ - amount) return std::nullopt;
        used_ += amount;
        return Lease(*this, amount);
    }
    bool has_room(std::uint64_t amount = 1) const { return amount <= limit_ && used_ <= limit_ - amount; }
    std::uint64_t used() const { return used_; }
    std::uint64_t limit() const { return limit_; }

  private:
    std::uint64_t used_ = 0;
    std::uint64_t limit_;
};

}  // namespace xylem::agent
