// Calls that start a program without fork(): the agent is told before that the program may inherit sockets.
// What they do between the two processes is left to libc; closing and moving descriptors there leaves no
// trace here (is_own_process()).
#include <paths.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest-lib/inheritance.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/started_program.hpp"

using namespace xylem;

XYLEM_EXPORT(int, posix_spawn,
             (pid_t * child, const char* path, const posix_spawn_file_actions_t* actions,
              const posix_spawnattr_t* attributes, char* const* arguments, char* const* variables)) {
    lend_all();
    note_program(path, false, variables);
    return real().posix_spawn(child, path, actions, attributes, arguments, variables);
}

XYLEM_EXPORT(int, posix_spawnp,
             (pid_t * child, const char* file, const posix_spawn_file_actions_t* actions,
              const posix_spawnattr_t* attributes, char* const* arguments, char* const* variables)) {
    lend_all();
    note_program(file, true, variables);
    return real().posix_spawnp(child, file, actions, attributes, arguments, variables);
}

XYLEM_EXPORT(int, system, (const char* command)) {
    if (command != nullptr) lend_all();
    if (command != nullptr) note_program(_PATH_BSHELL, false, environ);
    return real().system(command);
}

XYLEM_EXPORT(FILE*, popen, (const char* command, const char* type)) {
    lend_all();
    note_program(_PATH_BSHELL, false, environ);
    return real().popen(command, type);
}

// A function that returns twice, into the frame of its caller, cannot be called from here: libc's is jumped
// to, with the caller's return address on top of the stack (x86-64) or in its register (aarch64).
extern "C" __attribute__((used, visibility("hidden"))) void* xylem_before_vfork() {
    lend_all();
    return reinterpret_cast<void*>(real().vfork);
}

#if defined(__x86_64__)
asm(R"(
    .text
    .globl vfork
    .type vfork, @function
vfork:
    .cfi_startproc
    endbr64
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call xylem_before_vfork
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    jmp *%rax
    .cfi_endproc
    .size vfork, . - vfork
)");
#elif defined(__aarch64__)
asm(R"(
    .text
    .globl vfork
    .type vfork, %function
vfork:
    .cfi_startproc
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    bl xylem_before_vfork
    mov x16, x0
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    br x16
    .cfi_endproc
    .size vfork, . - vfork
)");
#endif
