// A directory of its own for one test, and the ways in which programs change files in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace xylem {

class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "xylem-test-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;

    const std::string& path() const { return path_; }
    std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
    // The path of what was written.
    std::string write(std::string_view name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    // As editors save: a new file, renamed over the old one.
    std::string replace(std::string_view name, std::string_view text) const {
        write("new-version~", text);
        rename("new-version~", name);
        return path(name);
    }
    void rename(std::string_view from, std::string_view to) const {
        std::filesystem::rename(path(from), path(to));
    }
    void remove(std::string_view name) const { std::filesystem::remove_all(path(name)); }
    void make_directory(std::string_view name) const { std::filesystem::create_directories(path(name)); }

  private:
    std::string path_;
};

}  // namespace xylem
