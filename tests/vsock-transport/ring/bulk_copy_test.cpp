#include "vsock-transport/ring/bulk_copy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace xylem {
namespace {

std::vector<std::byte> pattern(std::size_t length) {
    std::vector<std::byte> bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251 + 1);
    return bytes;
}

// The copy, and the bytes before and behind it. The source has one byte more, so that it exists where nothing
// is copied.
void expect_copied(std::size_t source_offset, std::size_t destination_offset, std::size_t length) {
    constexpr std::byte kUntouched{0};
    const std::vector<std::byte> source = pattern(source_offset + length + 1);
    std::vector<std::byte> destination(destination_offset + length + 128, kUntouched);
    copy_streaming(destination.data() + destination_offset, source.data() + source_offset, length);
    std::vector<std::byte> expected(destination.size(), kUntouched);
    std::copy(source.begin() + static_cast<std::ptrdiff_t>(source_offset), source.end() - 1,
              expected.begin() + static_cast<std::ptrdiff_t>(destination_offset));
    ASSERT_EQ(destination, expected) << "from " << source_offset << " to " << destination_offset << ", "
                                     << length << " bytes";
}

TEST(bulk_copy, copies_every_length_from_and_to_every_alignment) {
    for (std::size_t source_offset : {0, 1, 15, 16, 63}) {
        for (std::size_t destination_offset = 0; destination_offset < 64; ++destination_offset) {
            for (std::size_t length = 0; length < 200; length += 1 + destination_offset % 3) {
                expect_copied(source_offset, destination_offset, length);
            }
        }
    }
}

TEST(bulk_copy, copies_bulk) {
    for (std::size_t offset : {0, 3, 64}) expect_copied(offset, 17, (256 << 10) + 5);
}

}  // namespace
}  // namespace xylem
