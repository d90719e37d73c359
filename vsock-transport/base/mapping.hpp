// A mapped stretch of memory with one owner. Units: bytes. Not thread safe; hand it over by move.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "vsock-transport/base/result.hpp"
#include "vsock-transport/base/system_call.hpp"

namespace xylem {

class Mapping {
  public:
    Mapping() = default;
    Mapping(void* address, std::size_t size_bytes) : address_(address), size_bytes_(size_bytes) {}
    Mapping(Mapping&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)),
          size_bytes_(std::exchange(other.size_bytes_, 0)) {}
    Mapping& operator=(Mapping&& other) noexcept {
        if (this != &other) {
            unmap();
            address_ = std::exchange(other.address_, nullptr);
            size_bytes_ = std::exchange(other.size_bytes_, 0);
        }
        return *this;
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { unmap(); }

    // Maps size_bytes of fd from offset on, shared. Errors: system with mmap's errno.
    [[nodiscard]] static Result<Mapping> shared(int fd, std::size_t size_bytes, int protection,
                                                off_t offset_bytes = 0) {
        void* address = ::mmap(nullptr, size_bytes, protection, MAP_SHARED, fd, offset_bytes);
        if (address == MAP_FAILED) return fail_errno();
        return Mapping(address, size_bytes);
    }

    // Zeroed memory of this process alone. Errors: system with mmap's errno.
    [[nodiscard]] static Result<Mapping> anonymous(std::size_t size_bytes) {
        constexpr int kBoth = PROT_READ | PROT_WRITE;
        constexpr int kOwn = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void* address = ::mmap(nullptr, size_bytes, kBoth, kOwn, -1, 0);
        if (address == MAP_FAILED) return fail_errno();
        return Mapping(address, size_bytes);
    }

    std::byte* bytes() const { return static_cast<std::byte*>(address_); }
    std::size_t size_bytes() const { return size_bytes_; }
    explicit operator bool() const { return address_ != nullptr; }
    template <class T>
    T* as(std::size_t offset_bytes = 0) const {
        return reinterpret_cast<T*>(bytes() + offset_bytes);
    }
    // Whether nothing is mapped there: some mappings do not come along to a fork child.
    bool is_lost() const {
        unsigned char is_resident = 0;
        return system_call(SYS_mincore, word(address_), 1, word(&is_resident)) == -ENOMEM;
    }
    // Gives up ownership without unmapping: for a mapping that outlives its holder (fork children).
    void* release() {
        size_bytes_ = 0;
        return std::exchange(address_, nullptr);
    }
    void unmap() {
        if (address_ != nullptr) ::munmap(std::exchange(address_, nullptr), size_bytes_);
        size_bytes_ = 0;
    }

  private:
    void* address_ = nullptr;
    std::size_t size_bytes_ = 0;
};

}  // namespace xylem
