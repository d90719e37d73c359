#include "guest-lib/select_set.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace xylem {
namespace {

// Bitmaps of any length, as programs with many descriptors bring them.
class FdBits {
  public:
    explicit FdBits(int count) : words_(static_cast<std::size_t>(count) / 64 + 1) {}
    void set(int fd) { words_[static_cast<std::size_t>(fd) / 64] |= 1UL << (fd % 64); }
    bool has(int fd) const { return (words_[static_cast<std::size_t>(fd) / 64] >> (fd % 64) & 1) != 0; }
    fd_set* get() { return reinterpret_cast<fd_set*>(words_.data()); }

  private:
    std::vector<unsigned long> words_;
};

class SelectSetTest : public testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::pipe(ends_), 0); }
    void TearDown() override {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    void fill() { ASSERT_EQ(::write(ends_[1], "x", 1), 1); }

    int ends_[2] = {-1, -1};
};

TEST_F(SelectSetTest, descriptors_of_the_kernel_are_not_ours) {
    FdBits in(64);
    in.set(ends_[0]);
    EXPECT_FALSE(SelectSet(ends_[0] + 1, in.get(), nullptr, nullptr).has_ours());
}

TEST_F(SelectSetTest, ready_bits_stay_and_others_go) {
    fill();
    FdBits in(64), out(64), error(64);
    for (int fd : ends_) {
        in.set(fd);
        out.set(fd);
        error.set(fd);
    }
    SelectSet set(std::max(ends_[0], ends_[1]) + 1, in.get(), out.get(), error.get());
    EXPECT_EQ(set.wait(0, nullptr), 2);
    EXPECT_TRUE(in.has(ends_[0]));
    EXPECT_FALSE(in.has(ends_[1]));
    EXPECT_TRUE(out.has(ends_[1]));
    EXPECT_FALSE(out.has(ends_[0]));
    EXPECT_FALSE(error.has(ends_[0]));
}

TEST_F(SelectSetTest, a_timeout_empties_the_sets) {
    FdBits in(64);
    in.set(ends_[0]);
    SelectSet set(ends_[0] + 1, in.get(), nullptr, nullptr);
    EXPECT_EQ(set.wait(1'000'000, nullptr), 0);
    EXPECT_FALSE(in.has(ends_[0]));
}

TEST_F(SelectSetTest, bits_at_and_behind_the_count_are_not_looked_at) {
    fill();
    FdBits in(64);
    in.set(ends_[0]);
    SelectSet set(ends_[0], in.get(), nullptr, nullptr);
    EXPECT_EQ(set.wait(0, nullptr), 0);
    EXPECT_TRUE(in.has(ends_[0]));
}

TEST_F(SelectSetTest, a_closed_descriptor_is_an_error) {
    const int closed = ::dup(ends_[0]);
    ::close(closed);
    FdBits in(64);
    in.set(closed);
    SelectSet set(closed + 1, in.get(), nullptr, nullptr);
    EXPECT_EQ(set.wait(0, nullptr), -1);
    EXPECT_EQ(errno, EBADF);
}

TEST_F(SelectSetTest, a_hang_up_is_readable) {
    ::close(ends_[1]);
    FdBits in(64);
    in.set(ends_[0]);
    SelectSet set(ends_[0] + 1, in.get(), nullptr, nullptr);
    EXPECT_EQ(set.wait(0, nullptr), 1);
    EXPECT_TRUE(in.has(ends_[0]));
    ends_[1] = ::dup(ends_[0]);
}

TEST_F(SelectSetTest, numbers_above_FD_SETSIZE_and_many_of_them_work) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    fill();
    constexpr int kFirst = 2000;
    constexpr int kCount = 200;  // more than fit without a mapping
    FdBits in(4096);
    for (int fd = kFirst; fd < kFirst + kCount; ++fd) {
        ASSERT_EQ(::fcntl(ends_[0], F_DUPFD, fd), fd);
        in.set(fd);
    }
    SelectSet set(kFirst + kCount, in.get(), nullptr, nullptr);
    EXPECT_EQ(set.wait(0, nullptr), kCount);
    EXPECT_TRUE(in.has(kFirst + kCount - 1));
    for (int fd = kFirst; fd < kFirst + kCount; ++fd) ::close(fd);
}

}  // namespace
}  // namespace xylem
