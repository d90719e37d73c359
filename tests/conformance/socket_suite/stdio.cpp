// Cases of standard I/O on sockets: streams over descriptors, the three standard streams, dprintf.

#include "children.hpp"

namespace {

// Reads a line and shows it. A getline that fails may leave a buffer with nothing in it, not even an end.
void show_line(Side& side, FILE* stream, char** text, std::size_t* room) {
    const ssize_t size = side.result("getline", getline(text, room, stream));
    side.line("%s", size >= 0 ? *text : "");
}

constexpr char kLast[] = "last";

void lines_both_ways(Side& side) {
    const int fd = side.connection();
    FILE* stream = fdopen(fd, "r+");
    side.line("fileno is the same: %d", fileno(stream) == fd);
    side.line("fileno_unlocked is the same: %d", fileno_unlocked(stream) == fd);
    side.result("fseek", fseek(stream, 0, SEEK_SET));
    side.result("ftell", ftell(stream));
    setvbuf(stream, nullptr, _IOLBF, 0);
    char* text = nullptr;
    std::size_t room = 0;
    if (!side.server) {
        side.line("fprintf = %d", fprintf(stream, "HELO %s\r\nMAIL %d\r\n%s", "example", 7, kLast));
        side.line("fflush = %d", fflush(stream));
        side.meet();
        show_line(side, stream, &text, &room);
        int number = 0;
        char word[20] = "";
        side.result("fscanf", fscanf(stream, "%d %19s", &number, word));
        side.line("%d %s", number, word);
        shutdown(fd, SHUT_WR);
    } else {
        side.meet();
        await_bytes(fd, sizeof "HELO example\r\nMAIL 7\r\n" - 1 + sizeof kLast - 1);  // in one read
        show_line(side, stream, &text, &room);
        side.result("fgetc", fgetc(stream));
        side.result("ungetc", ungetc('N', stream));
        show_line(side, stream, &text, &room);
        side.line("fputs = %d", fputs("250 ok\n42 words\n", stream) >= 0);
        side.line("fflush = %d", fflush(stream));
        char bytes[20] = "";
        side.result("fread", fread(bytes, 1, sizeof bytes, stream));
        side.line("%s", bytes);
        side.line("feof %d ferror %d", feof(stream) != 0, ferror(stream) != 0);
    }
    free(text);
    side.line("fclose = %d", fclose(stream));
    side.meet();  // nobody opens anything any more
    side.result("fcntl", fcntl(fd, F_GETFD));
}

void large_blocks(Side& side) {
    const int fd = side.connection();
    constexpr std::size_t kSize = 2 << 20;
    FILE* stream = fdopen(fd, side.server ? "r" : "w");
    if (!side.server) {
        const std::string bytes = pattern(kSize);
        side.line("fwrite = %zu", fwrite(bytes.data(), 1, kSize, stream));
        side.line("fclose = %d", fclose(stream));
        return;
    }
    std::string bytes(kSize, '\0');
    const std::size_t got = fread(bytes.data(), 1, kSize, stream);
    show_received(side, "fread", static_cast<ssize_t>(got), bytes.data());
    side.line("fgetc = %d, feof %d", fgetc(stream), feof(stream) != 0);
    fclose(stream);
}

void errors_of_streams(Side& side) {
    const int fd = side.connection(SOCK_NONBLOCK);
    if (side.server) {
        side.meet();
        linger now{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
        return side.meet();
    }
    signal(SIGPIPE, SIG_IGN);
    side.result("fdopen with nonsense", fdopen(fd, "q") == nullptr ? -1 : 0);
    FILE* stream = fdopen(fd, "r+");
    side.result("fgetc", fgetc(stream));
    side.line("ferror %d", ferror(stream) != 0);
    clearerr(stream);
    side.meet();
    side.meet();
    await(fd, POLLHUP);
    side.result("fgetc", fgetc(stream));
    side.line("ferror %d", ferror(stream) != 0);
    clearerr(stream);
    side.line("fputs = %d", fputs("lost", stream) >= 0);
    side.result("fflush", fflush(stream));
    side.line("fclose = %d", fclose(stream));
}

void text_by_dprintf(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        receive_bytes(side, fd, 11 + 5000, MSG_WAITALL);
        return side.meet();
    }
    side.line("dprintf = %d", dprintf(fd, "%s %d\n", "number", 123));
    side.line("dprintf = %d", dprintf(fd, "%5000d", 9));
    side.meet();
    signal(SIGPIPE, SIG_IGN);
    shutdown(fd, SHUT_WR);
    side.result("dprintf", dprintf(fd, "lost"));
}

// A stream made before the socket was connected, as some clients do.
void a_stream_made_before_connecting(Side& side) {
    if (side.server) {
        const Listening listener = side.offered();
        const int fd = side.accepted(listener);
        receive_bytes(side, fd, 6, MSG_WAITALL);
        return side.meet();
    }
    Name name = name_of(side.address, side.exchange(0));
    const int fd = side.must("socket", socket(name.storage.ss_family, SOCK_STREAM, 0));
    FILE* stream = fdopen(fd, "w");
    side.result("connect", connect(fd, name.get(), name.length));
    side.note_transport(fd);
    side.line("fputs = %d", fputs("early\n", stream) >= 0);
    side.line("fflush = %d", fflush(stream));
    side.meet();
    fclose(stream);
}

// The child's stdin and stdout are the connection, made so by dup2 in the process itself.
void standard_streams_of_a_child(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        send_bytes(side, fd, 0);
        side.result("send", send(fd, "What is the question?\n", 22, 0));
        receive_bytes(side, fd, 39, MSG_WAITALL);
        receive_bytes(side, fd, 1);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        fflush(stdout);
        printf("written before, ");
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        close(fd);
        char text[100] = "";
        if (fgets(text, sizeof text, stdin) == nullptr) _exit(1);
        printf("%zu bytes", strlen(text));
        puts(", thanks");
        fputs("!\n", stdout);
        fflush(stdout);
        fprintf(stderr, "%s", "done");
        fprintf(stderr, "\n");
        exit(3);
    }
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

// A program that knows nothing of sockets, started as a superserver does it.
void standard_streams_of_a_program(Side& side) {
    const int fd = side.connection();
    if (side.server) {
        side.result("send", send(fd, "one\ntwo\nthree\n", 14, 0));
        shutdown(fd, SHUT_WR);
        char text[200] = "";
        side.result("recv", recv(fd, text, sizeof text, MSG_WAITALL));
        side.line("%s", text);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        close(fd);
        execl("/proc/self/exe", "stdio", "count-lines", nullptr);
        _exit(127);
    }
    close(fd);
    side.line("child's exit code %d", exit_code_of(child));
}

int count_lines() {
    int lines = 0;
    for (int byte = getchar(); byte != EOF; byte = getchar()) lines += byte == '\n' ? 1 : 0;
    printf("%d lines, ", lines);
    fflush(stdout);
    perror("counted");
    printf("fileno %d %d %d\n", fileno(stdin), fileno(stdout), fileno(stderr));
    return 5;
}

void a_reopened_stream(Side& side) {
    const int fd = side.connection();
    FILE* stream = fdopen(fd, "w");
    side.line("fputs = %d", fputs("before", stream) >= 0);
    stream = freopen("/dev/null", "w", stream);
    side.line("freopen: %d, fileno is the same: %d", stream != nullptr, fileno(stream) == fd);
    side.line("fputs = %d", fputs("after", stream) >= 0);
    side.line("fflush = %d", fflush(stream));
    side.result("send", send(fd, "x", 1, MSG_NOSIGNAL));
    side.meet();
    fclose(stream);
}

constexpr Case kCases[] = {
    {"lines_both_ways", lines_both_ways},
    {"large_blocks", large_blocks},
    {"errors_of_streams", errors_of_streams, true},
    {"text_by_dprintf", text_by_dprintf, true},
    {"a_stream_made_before_connecting", a_stream_made_before_connecting},
    {"standard_streams_of_a_child", standard_streams_of_a_child, true},
    {"standard_streams_of_a_program", standard_streams_of_a_program, true},
    {"a_reopened_stream", a_reopened_stream},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && strcmp(argv[1], "count-lines") == 0) return count_lines();
    return run_cases(kCases, argc, argv);
}
