// ReloadingHostsMap: watch, then load, in this order, so that no change falls in between. A map is only
// ever replaced whole, by one that parsed without error; whoever holds the old one keeps it.
//
// A file that goes away is treated as it would be at a start: zero configuration for the default path,
// a failure (old map kept) for a path that the user named.
#include "hosts-map/reload.hpp"

#include <string.h>

#include <utility>

namespace xylem {

ReloadingHostsMap::ReloadingHostsMap(std::string path, MissingFile missing, FileWatch watch)
    : path_(std::move(path)), missing_(missing), watch_(std::move(watch)) {}

Result<ReloadingHostsMap, LoadFailure> ReloadingHostsMap::open(std::string path, MissingFile missing) {
    auto watch = FileWatch::open(path);
    if (!watch) {
        int sys_errno = watch.error().sys_errno;
        std::string reason = std::string("cannot watch it: ") + ::strerrordesc_np(sys_errno);
        return tl::unexpected<LoadFailure>(LoadFailure{path, sys_errno, reason, {}});
    }
    ReloadingHostsMap map(std::move(path), missing, std::move(*watch));
    if (auto loaded = map.load(); loaded.status == ReloadStatus::failed) {
        return tl::unexpected(std::move(loaded.failure));
    }
    return map;
}

ReloadResult ReloadingHostsMap::reload_if_changed() {
    return watch_.drain() ? load() : ReloadResult{ReloadStatus::unchanged, {}};
}

ReloadResult ReloadingHostsMap::load() {
    auto text = read_text_file(path_);
    if (!text) {
        bool is_zero_configuration =
            text.error().is_missing_file() && missing_ == MissingFile::means_zero_configuration;
        if (!is_zero_configuration) return failed(std::move(text.error()));
        return use(HostsMap::zero_configuration(), {}, false);
    }
    bool is_current = current_ != nullptr && is_from_file_ && *text == text_;
    if (is_current && !last_load_failed_) return {ReloadStatus::unchanged, {}};
    auto map = HostsMap::parse(*text);
    if (!map) return failed({path_, 0, {}, std::move(map.error())});
    return use(std::move(*map), std::move(*text), true);
}

ReloadResult ReloadingHostsMap::failed(LoadFailure failure) {
    last_load_failed_ = true;
    return {ReloadStatus::failed, std::move(failure)};
}

ReloadResult ReloadingHostsMap::use(HostsMap map, std::string text, bool is_from_file) {
    bool is_same = current_ != nullptr && !is_from_file && !is_from_file_ && !last_load_failed_;
    last_load_failed_ = false;
    if (is_same) return {ReloadStatus::unchanged, {}};
    current_ = std::make_shared<const HostsMap>(std::move(map));
    text_ = std::move(text);
    is_from_file_ = is_from_file;
    return {ReloadStatus::reloaded, {}};
}

}  // namespace xylem
