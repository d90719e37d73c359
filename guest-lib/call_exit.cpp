// _exit and _Exit: the end without exit handlers, which is how forked children and shells end. exit() itself
// runs the library's destructor (process.cpp). libc's own calls of _exit do not come here.
#include "guest-lib/enabled.hpp"
#include "guest-lib/real_libc.hpp"

using namespace xylem;

XYLEM_EXPORT(void, _exit, (int status)) {
    end_process();
    real()._exit(status);
}

XYLEM_EXPORT(void, _Exit, (int status)) {
    end_process();
    real()._Exit(status);
}
