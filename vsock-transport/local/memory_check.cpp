// Memory check. Seals come first: asking any other kind of file, one of a user's file system say, for more
// than its seals could make its owner keep us waiting.
#include "vsock-transport/local/memory_check.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/vfs.h>

#include "vsock-transport/local/slab_memfd.hpp"

namespace xylem {

bool is_sound_memory(int fd, std::size_t size_bytes, Access wanted) {
    if (!check_sealed_memfd(fd, size_bytes)) return false;
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0 || status.f_type != TMPFS_MAGIC) return false;
    const int mode = ::fcntl(fd, F_GETFL) & O_ACCMODE;
    if (wanted == Access::read) return mode != O_WRONLY;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    return mode == O_RDWR && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0;
}

}  // namespace xylem
