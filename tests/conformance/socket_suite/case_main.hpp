// The main part of a program of cases: finding the other side, playing, writing the transcript.
#pragma once

#include "case.hpp"

namespace case_main {

inline sockaddr_un meeting_name(const std::string& directory) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    snprintf(name.sun_path, sizeof name.sun_path, "%s/meeting", directory.c_str());
    return name;
}

inline int out_of_the_way(int fd) {
    const int moved = fcntl(fd, F_DUPFD_CLOEXEC, kMeetingFd);
    close(fd);
    return moved;
}

inline int meet_as_server(const std::string& directory) {
    const sockaddr_un name = meeting_name(directory);
    const int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return -1;
    listen(listener, 1);
    const int fd = accept(listener, nullptr, nullptr);
    close(listener);
    return out_of_the_way(fd);
}

inline int meet_as_client(const std::string& directory) {
    const sockaddr_un name = meeting_name(directory);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    for (int left_ms = kPatienceMs; left_ms > 0; left_ms -= 5) {
        if (connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0)
            return out_of_the_way(fd);
        usleep(5000);
    }
    return -1;
}

inline void write_file(const std::string& path, const std::string& text) {
    FILE* file = fopen(path.c_str(), "w");
    if (file == nullptr) return;
    fwrite(text.data(), 1, text.size(), file);
    fclose(file);
}

inline void play(const Case& the_case, Side& side, const std::string& directory) {
    try {
        the_case.play(side);
        side.line("played to the end");
    } catch (const Side::Stopped&) {
        side.line("stopped");
    }
    const std::string path = directory + (side.server ? "/server" : "/client");
    write_file(path + ".txt", side.transcript());
    write_file(path + ".transport", side.transports());
}

inline int play_both(const Case& the_case, const std::string& directory, const char* address) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) return 1;
    const int near = out_of_the_way(pair[0]);
    const int far = out_of_the_way(pair[1]);
    const auto one = [&](bool server, int fd) {
        Side side(server, address, fd);
        play(the_case, side, directory);
        close(fd);
    };
    std::thread server(one, true, near);
    one(false, far);
    server.join();
    return 0;
}

inline int usage() {
    fprintf(stderr, "usage: PROGRAM list | PROGRAM server|client|both DIR ADDRESS CASE\n");
    return 2;
}

}  // namespace case_main

inline int run_cases(const Case* cases, std::size_t count, int argc, char** argv) {
    const std::string role = argc > 1 ? argv[1] : "";
    if (role == "list") {
        for (std::size_t i = 0; i < count; ++i)
            printf("%s%s\n", cases[i].name, cases[i].alone ? " alone" : "");
        return 0;
    }
    if (argc != 5) return case_main::usage();
    alarm(static_cast<unsigned>(kAlarmSeconds));
    const std::string directory = argv[2];
    for (std::size_t i = 0; i < count; ++i) {
        if (strcmp(cases[i].name, argv[4]) != 0) continue;
        if (role == "both") return case_main::play_both(cases[i], directory, argv[3]);
        const bool server = role == "server";
        if (!server && role != "client") return case_main::usage();
        const int fd = server ? case_main::meet_as_server(directory) : case_main::meet_as_client(directory);
        if (fd < 0) return 1;
        Side side(server, argv[3], fd);
        case_main::play(cases[i], side, directory);
        return 0;
    }
    fprintf(stderr, "no such case: %s\n", argv[4]);
    return 2;
}
