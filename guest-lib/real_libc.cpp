// Finds the next definition of every intercepted call, which is libc's or another preloaded library's.
// Runs before main, or earlier if another library's constructor makes a call. A name that this libc lacks
// (closefrom and epoll_pwait2 are young) stays null; nobody can call it then either, except through us.
#include "guest-lib/real_libc.hpp"

#include <dlfcn.h>

#include "vsock-transport/base/atomic.hpp"

namespace xylem {
namespace {

constinit RealLibc table{};
constinit AtomicU32 found;

template <class Function>
void find_symbol(Function*& slot, const char* name) {
    slot = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void find_all() {
#define XYLEM_CALL(result, name, parameters) find_symbol(table.name, #name);
#include "guest-lib/intercepted_calls.def"
#undef XYLEM_CALL
    found.store_release(1);  // pairs with real()
}

}  // namespace

const RealLibc& real() {
    if (found.load_acquire() == 0) [[unlikely]] {
        find_all();
    }
    return table;
}

}  // namespace xylem
