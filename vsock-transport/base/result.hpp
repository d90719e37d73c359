// A value or an Error. The caller must look: every function that returns one is [[nodiscard]].
#pragma once

#include <tl/expected.hpp>

#include "vsock-transport/base/error.hpp"

namespace xylem {

template <class T, class E = Error>
using Result = tl::expected<T, E>;

template <class E = Error>
inline tl::unexpected<E> fail(E error) {
    return tl::unexpected<E>(error);
}
inline tl::unexpected<Error> fail(ErrorKind kind, int sys_errno = 0) {
    return tl::unexpected<Error>(Error{kind, sys_errno});
}
inline tl::unexpected<Error> fail_errno() { return tl::unexpected<Error>(Error::from_errno()); }

}  // namespace xylem
