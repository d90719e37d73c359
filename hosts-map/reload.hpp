// The hosts map in force, kept up to date with its file. Not thread safe: belongs to one event loop; the
// maps it hands out may go to any thread and stay as they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hosts-map/file.hpp"
#include "hosts-map/map.hpp"
#include "hosts-map/watch.hpp"
#include "vsock-transport/base/result.hpp"

namespace xylem {

// What it means that there is no file.
enum class MissingFile : std::uint8_t {
    means_zero_configuration,  // the default path: nobody wrote one
    is_failure,                // a path that the user named
};

enum class ReloadStatus : std::uint8_t { unchanged, reloaded, failed };

struct ReloadResult {
    ReloadStatus status = ReloadStatus::unchanged;
    LoadFailure failure;  // of failed; the old map stays in force
};

class ReloadingHostsMap {
  public:
    // Loads the map. Errors: a bad, unreadable or (is_failure) missing file; no inotify.
    static Result<ReloadingHostsMap, LoadFailure> open(std::string path, MissingFile missing);

    // Readable (POLLIN) when reload_if_changed() has something to look at.
    int fd() const { return watch_.fd(); }
    std::shared_ptr<const HostsMap> current() const { return current_; }
    const std::string& path() const { return path_; }
    // False after zero configuration took the place of a missing file.
    bool is_from_file() const { return is_from_file_; }

    // Never blocks but for reading the file. `reloaded` also when a bad file was mended to its old text.
    ReloadResult reload_if_changed();

  private:
    ReloadingHostsMap(std::string path, MissingFile missing, FileWatch watch);
    ReloadResult load();
    ReloadResult failed(LoadFailure failure);
    ReloadResult use(HostsMap map, std::string text, bool is_from_file);

    std::string path_;
    MissingFile missing_;
    FileWatch watch_;
    std::shared_ptr<const HostsMap> current_;
    std::string text_;  // that current_ was made of, to tell a change from a touch
    bool is_from_file_ = false;
    bool last_load_failed_ = false;
};

}  // namespace xylem
