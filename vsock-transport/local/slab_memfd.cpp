// Sealed memfds. Theory: slab_memfd.hpp. Uses system calls directly: the guest library makes areas with it.
#include "vsock-transport/local/slab_memfd.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vsock-transport/base/system_call.hpp"

namespace xylem {
namespace {

constexpr long kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

tl::unexpected<Error> system_failure(long result) {
    return fail(ErrorKind::system, static_cast<int>(-result));
}

}  // namespace

Result<UniqueFd> make_sealed_memfd(const char* name, std::size_t size_bytes) {
    const long made = system_call(SYS_memfd_create, word(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0) return system_failure(made);
    UniqueFd fd(static_cast<int>(made));
    long result = system_call(SYS_ftruncate, fd.get(), static_cast<long>(size_bytes));
    if (result == 0) result = system_call(SYS_fcntl, fd.get(), F_ADD_SEALS, kSeals);
    if (result < 0) return system_failure(result);
    return fd;
}

Result<std::size_t> check_sealed_memfd(int fd, std::size_t size_bytes) {
    const long seals = system_call(SYS_fcntl, fd, F_GET_SEALS);
    if (seals < 0 || (seals & kSeals) != kSeals) return fail(ErrorKind::bad_layout);
    // A memfd of huge pages can be sealed as well, but a hole punched into it may not be filled again:
    // SIGBUS.
    struct statfs file_system {};
    const long result = system_call(SYS_fstatfs, fd, word(&file_system));
    if (result < 0 || file_system.f_type != TMPFS_MAGIC) return fail(ErrorKind::bad_layout);
    struct stat status {};
    if (::fstat(fd, &status) != 0 || static_cast<std::size_t>(status.st_size) < size_bytes) {
        return fail(ErrorKind::bad_layout);
    }
    return static_cast<std::size_t>(status.st_size);
}

Result<std::size_t> scrub_memfd(int fd, std::size_t size_bytes) {
    const long result = system_call(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                                    static_cast<long>(size_bytes));
    if (result < 0) return system_failure(result);
    return size_bytes;
}

}  // namespace xylem
