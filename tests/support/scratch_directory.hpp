// A directory of its own for one test, and the ways in which programs change files in it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace xylem {

class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "xylem-hosts-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
    void write(std::string_view name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
    }
    // As editors save: a new file, renamed over the old one.
    void replace(std::string_view name, std::string_view text) const {
        write("new-version~", text);
        rename("new-version~", name);
    }
    void rename(std::string_view from, std::string_view to) const {
        std::filesystem::rename(path(from), path(to));
    }
    void remove(std::string_view name) const { std::filesystem::remove_all(path(name)); }
    void make_directory(std::string_view name) const { std::filesystem::create_directories(path(name)); }

  private:
    std::string path_;
};

// Waits for the descriptor, with a bound that only a broken watch reaches.
inline bool becomes_readable(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, 20'000) == 1;
}

inline bool is_readable_now(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
}

}  // namespace xylem
