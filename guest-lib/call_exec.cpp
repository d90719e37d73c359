// The exec family: nothing is changed but that a program whose sockets cannot be carried is noted before
// (started_program.hpp). libc's own functions do not call each other by their public names, so each stands
// here. The word lists of execl, execle and execlp are walked twice: once to count, once to copy.
#include <alloca.h>
#include <stdarg.h>
#include <unistd.h>

#include "guest-lib/inheritance.hpp"
#include "guest-lib/real_libc.hpp"
#include "guest-lib/started_program.hpp"

using namespace xylem;

namespace {

constexpr std::size_t kDescriptorPathBytes = sizeof "/proc/self/fd/-2147483648";

// Calls exec(array, variables) with the words from `first` to the null pointer; behind it may stand the new
// program's variables.
template <class Exec>
int with_words(const char* first, va_list words, bool brings_variables, Exec exec) {
    va_list again;
    va_copy(again, words);
    std::size_t count = 1;
    for (const char* word = first; word != nullptr; word = va_arg(words, const char*)) ++count;
    char* const* variables = brings_variables ? va_arg(words, char* const*) : environ;
    char** array = static_cast<char**>(alloca(count * sizeof(char*)));
    array[0] = const_cast<char*>(first);
    for (std::size_t i = 1; i < count; ++i) array[i] = va_arg(again, char*);
    va_end(again);
    return exec(array, variables);
}

// The new program finds its connections by their kernel sockets.
void begin_exec(const char* name, bool is_searched, char* const* variables) {
    show_ends_used_again();
    note_program(name, is_searched, variables);
}

}  // namespace

XYLEM_EXPORT(int, execve, (const char* path, char* const* arguments, char* const* variables)) {
    begin_exec(path, false, variables);
    return real().execve(path, arguments, variables);
}

XYLEM_EXPORT(int, execv, (const char* path, char* const* arguments)) {
    begin_exec(path, false, environ);
    return real().execv(path, arguments);
}

XYLEM_EXPORT(int, execvp, (const char* file, char* const* arguments)) {
    begin_exec(file, true, environ);
    return real().execvp(file, arguments);
}

XYLEM_EXPORT(int, execvpe, (const char* file, char* const* arguments, char* const* variables)) {
    begin_exec(file, true, variables);
    return real().execvpe(file, arguments, variables);
}

XYLEM_EXPORT(int, fexecve, (int fd, char* const* arguments, char* const* variables)) {
    char path[kDescriptorPathBytes] = "/proc/self/fd/";
    char* at = path + sizeof "/proc/self/fd/" - 1;
    for (int unit = 1'000'000'000; unit > 0; unit /= 10) {
        if (fd >= unit || unit == 1) *at++ = static_cast<char>('0' + fd / unit % 10);
    }
    begin_exec(path, false, variables);
    return real().fexecve(fd, arguments, variables);
}

XYLEM_EXPORT(int, execl, (const char* path, const char* first, ...)) {
    va_list words;
    va_start(words, first);
    const int result = with_words(first, words, false, [&](char* const* array, char* const* variables) {
        return xylem_call_execve(path, array, variables);
    });
    va_end(words);
    return result;
}

XYLEM_EXPORT(int, execle, (const char* path, const char* first, ...)) {
    va_list words;
    va_start(words, first);
    const int result = with_words(first, words, true, [&](char* const* array, char* const* variables) {
        return xylem_call_execve(path, array, variables);
    });
    va_end(words);
    return result;
}

XYLEM_EXPORT(int, execlp, (const char* file, const char* first, ...)) {
    va_list words;
    va_start(words, first);
    const int result = with_words(first, words, false, [&](char* const* array, char* const* variables) {
        return xylem_call_execvpe(file, array, variables);
    });
    va_end(words);
    return result;
}
