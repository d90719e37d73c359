// A walk over the caller's iovec array, by copies into or out of it. No allocation; not thread safe.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstring>

#include "vsock-transport/ring/bulk_copy.hpp"

namespace xylem {

class IoCursor {
  public:
    IoCursor(const iovec* vectors, std::size_t count) : vector_(vectors) {
        for (std::size_t i = 0; i < count; ++i) remaining_ += vectors[i].iov_len;
    }

    std::size_t remaining() const { return remaining_; }

    // Copies length bytes (at most remaining()) from the caller's buffers to destination.
    void copy_out(std::byte* destination, std::size_t length) {
        walk(length, [&destination](std::byte* piece, std::size_t n) {
            std::memcpy(destination, piece, n);
            destination += n;
        });
    }
    // The same with streaming stores.
    void stream_out(std::byte* destination, std::size_t length) {
        walk(length, [&destination](std::byte* piece, std::size_t n) {
            copy_streaming(destination, piece, n);
            destination += n;
        });
    }
    // Copies length bytes (at most remaining()) from source into the caller's buffers.
    void copy_in(const std::byte* source, std::size_t length) {
        walk(length, [&source](std::byte* piece, std::size_t n) {
            std::memcpy(piece, source, n);
            source += n;
        });
    }
    // Moves on without copying: MSG_TRUNC.
    void skip(std::size_t length) {
        walk(length, [](std::byte*, std::size_t) {});
    }

  private:
    template <class Piece>
    void walk(std::size_t length, Piece piece) {
        remaining_ -= length;
        while (length > 0) {
            const std::size_t here = vector_->iov_len - offset_;
            const std::size_t n = here < length ? here : length;
            if (n > 0) piece(static_cast<std::byte*>(vector_->iov_base) + offset_, n);
            length -= n;
            offset_ += n;
            if (n < here) return;
            ++vector_;
            offset_ = 0;
        }
    }

    const iovec* vector_;
    std::size_t offset_ = 0;
    std::size_t remaining_ = 0;
};

}  // namespace xylem
