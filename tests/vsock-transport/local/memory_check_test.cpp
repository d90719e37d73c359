#include "vsock-transport/local/memory_check.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/memfd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem::agent {
namespace {

constexpr std::size_t kBytes = 8192;

UniqueFd memfd(int seals, std::size_t size_bytes = kBytes) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size_bytes)), 0);
    EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
    return fd;
}

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

TEST(MemoryCheck, takes_what_make_sealed_memfd_makes) {
    const auto fd = make_sealed_memfd("test", kBytes);
    EXPECT_TRUE(is_sound_memory(fd->get(), kBytes, Access::read_write));
    EXPECT_TRUE(is_sound_memory(fd->get(), kBytes, Access::read));
    EXPECT_FALSE(is_sound_memory(fd->get(), kBytes + 1, Access::read));
}

TEST(MemoryCheck, refuses_what_could_shrink_or_change_its_seals) {
    EXPECT_FALSE(is_sound_memory(memfd(0).get(), kBytes, Access::read));
    EXPECT_FALSE(is_sound_memory(memfd(F_SEAL_SHRINK).get(), kBytes, Access::read));
    EXPECT_FALSE(is_sound_memory(memfd(F_SEAL_SHRINK | F_SEAL_GROW).get(), kBytes, Access::read));
}

TEST(MemoryCheck, refuses_to_write_where_nobody_may) {
    const UniqueFd sealed = memfd(kSeals | F_SEAL_FUTURE_WRITE);
    EXPECT_FALSE(is_sound_memory(sealed.get(), kBytes, Access::read_write));
    EXPECT_TRUE(is_sound_memory(sealed.get(), kBytes, Access::read));
    const UniqueFd whole = memfd(kSeals);
    const UniqueFd read_only(::open(("/proc/self/fd/" + std::to_string(whole.get())).c_str(), O_RDONLY));
    ASSERT_TRUE(read_only);
    EXPECT_FALSE(is_sound_memory(read_only.get(), kBytes, Access::read_write));
    EXPECT_TRUE(is_sound_memory(read_only.get(), kBytes, Access::read));
}

TEST(MemoryCheck, refuses_huge_pages) {
    const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
    if (!fd || ::ftruncate(fd.get(), 2 << 20) != 0) GTEST_SKIP() << "no huge pages here";
    ASSERT_EQ(::fcntl(fd.get(), F_ADD_SEALS, kSeals), 0);
    EXPECT_FALSE(is_sound_memory(fd.get(), kBytes, Access::read_write));
}

TEST(MemoryCheck, refuses_what_is_no_memory) {
    EXPECT_FALSE(is_sound_memory(-1, 1, Access::read));
    EXPECT_FALSE(is_sound_memory(UniqueFd(::eventfd(0, EFD_CLOEXEC)).get(), 1, Access::read));
    EXPECT_FALSE(is_sound_memory(UniqueFd(::open("/dev/zero", O_RDWR)).get(), 1, Access::read));
}

}  // namespace
}  // namespace xylem::agent
