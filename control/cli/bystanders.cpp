// Bystanders: a process belongs to the run if its environment at its start says so, whoever its parent is
// now. What it has open tells the rest: sockets that the kernel lists as TCP, and io_uring's descriptors. A
// process that came and went between two looks is not seen, nor one that was started without the environment;
// the guest library sees those start (guest-lib/started_program.hpp). Whatever cannot be read (other users'
// processes, processes that ended meanwhile) is skipped.
#include "control/cli/bystanders.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "control/protocol/obstacle.hpp"

namespace xylem::cli {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What its descriptors name: "socket:[4711]", "anon_inode:[io_uring]", paths.
std::vector<std::string> open_files(const std::string& process) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(process + "/fd", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        names.push_back(fs::read_symlink(entry->path(), ignored).string());
    }
    return names;
}

// Inodes of the TCP sockets in the process's network namespace (proc(5), /proc/net/tcp: the tenth column).
std::set<std::string> tcp_sockets(const std::string& process) {
    std::set<std::string> inodes;
    for (const char* table : {"/net/tcp", "/net/tcp6"}) {
        std::ifstream file(process + table);
        std::string line;
        std::getline(file, line);
        while (std::getline(file, line)) {
            std::istringstream words(line);
            const std::vector<std::string> columns{std::istream_iterator<std::string>(words), {}};
            if (columns.size() > 9) inodes.insert("socket:[" + columns[9] + "]");
        }
    }
    return inodes;
}

bool has_tcp_socket(const std::string& process, const std::vector<std::string>& files) {
    const auto is_socket = [](const std::string& name) { return name.starts_with("socket:["); };
    if (std::none_of(files.begin(), files.end(), is_socket)) return false;
    const std::set<std::string> sockets = tcp_sockets(process);
    return std::any_of(files.begin(), files.end(),
                       [&](const std::string& name) { return sockets.count(name) != 0; });
}

std::string last_word(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

bool Bystanders::look() {
    bool any = false;
    std::error_code error;
    fs::directory_iterator entry("/proc", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.find_first_not_of("0123456789") == name.npos) any |= look_at(entry->path().string());
    }
    return any;
}

// False if it is not of the run.
bool Bystanders::look_at(const std::string& process) {
    const std::string environment = '\0' + content_of(process + "/environ");
    if (environment.find('\0' + mark_ + '\0') == environment.npos) return false;
    const std::vector<std::string> files = open_files(process);
    std::error_code ignored;
    const std::string program = fs::read_symlink(process + "/exe", ignored).string();
    if (program.empty()) return false;
    if (std::count(files.begin(), files.end(), "anon_inode:[io_uring]") != 0) {
        found(process, Reason::io_uring, program, false);
    }
    Reason reason = obstacle_in((process + "/exe").c_str());
    const bool has_library = content_of(process + "/maps").find("/libxylem.so") != std::string::npos;
    if (has_library && reason != Reason::go_program) return true;
    if (!has_tcp_socket(process, files)) return true;
    if (reason == Reason::none) reason = Reason::not_preloaded;
    found(process, reason, program, true);
    return true;
}

void Bystanders::found(const std::string& process, Reason reason, const std::string& program,
                       bool has_sockets) {
    Row& row = rows_[{reason, program}];
    row.has_sockets |= has_sockets;
    if (seen_.emplace(process, reason).second) ++row.times;
}

void Bystanders::add(Reason reason, const std::string& program) {
    std::error_code error;
    const std::string path = fs::canonical(program, error).string();
    rows_[{reason, error ? program : path}];
}

void Bystanders::add_to(Json& report) const {
    Json& bypasses = report["bypasses"];
    if (!bypasses.is_array()) bypasses = Json::array();
    for (const auto& [key, row] : rows_) {
        const std::string& program = key.second;
        const std::string name = last_word(program);
        const auto code = static_cast<std::uint32_t>(key.first);
        const auto is_same = [code, &name](const Json& other) {
            return text_at(other, "reason") == reason_name(code) &&
                   last_word(text_at(other, "program")) == name;
        };
        auto known = std::find_if(bypasses.begin(), bypasses.end(), is_same);
        if (known == bypasses.end()) {
            bypasses.push_back({{"program", program},
                                {"reason", reason_name(code)},
                                {"reason_text", reason_text(code)},
                                {"times", 1}});
            known = bypasses.end() - 1;
        }
        (*known)["times"] = std::max(number_at(*known, "times").value_or(0), row.times);
        (*known)["has_sockets"] = row.has_sockets;
    }
}

}  // namespace xylem::cli
