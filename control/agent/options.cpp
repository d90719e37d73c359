// Options by Boost.Program_options: the same names on the command line and in the INI file, and the first
// source that says something wins. A mistake says what is wrong and what would be right, and ends with 2.
#include "control/agent/options.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "control/agent/metrics/metrics_address.hpp"
#include "control/agent/size_text.hpp"
#include "vsock-transport/base/clock.hpp"

namespace po = boost::program_options;

namespace xylem::agent {
namespace {

constexpr const char* kDefaultConfig = "/etc/xylem/xylemd.conf";
constexpr std::uint32_t kMaxDomain = 65535;
constexpr int kExitFailure = 1;

// Not the fault of who called: ends with 1.
struct Unreadable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Mistake : std::runtime_error {
    using std::runtime_error::runtime_error;
};

po::options_description common_options() {
    po::options_description options("Options, also of the configuration file (ring-size = 1M)");
    const auto text = [] { return po::value<std::string>(); };
    auto add = options.add_options();
    add("domain", text()->value_name("N"),
        "the domain to serve; else XYLEM_DOMAIN, else that of the Xen guest, else 1");
    add("hosts", text()->value_name("FILE"),
        "hosts map; else XYLEM_HOSTS, else /etc/xylem/hosts; without "
        "either, 127.44.H.L is domain 256*H+L");
    add("policy", text()->value_name("FILE"), "allow/deny list; else /etc/xylem/policy, if there is one");
    add("runtime-dir", text()->value_name("DIR"), "where programs find this agent");
    add("group", text()->value_name("GROUP"),
        "programs of this group may use the agent, too; else those of its own user only");
    add("fabric-dir", text()->value_name("DIR"), "where agents find each other");
    add("ring-size", text()->value_name("SIZE"),
        "bytes a direction, a power of two from 4K to 64M; 2M, in a Xen guest 1M");
    add("spin", text()->value_name("US"),
        "longest spin before a sleep, 0 to 10000 microseconds; 50, in a Xen guest what a wake-up there "
        "takes");
    add("idle-exit", text()->value_name("SECONDS"), "exit after so long without a program");
    add("max-ends", text()->value_name("N"), "live connection ends; 16384");
    add("max-ends-per-peer", text()->value_name("N"), "of them with one other domain; 16384");
    add("max-channels", text()->value_name("N"),
        "in a Xen guest: event channels for doorbells; 0: kicks are relayed; 768");
    add("max-grants", text()->value_name("N"),
        "in a Xen guest: pages of rings that are granted to others; else what memory and grant table allow");
    add("max-memory", text()->value_name("SIZE"), "address space of all slabs in use; 64G");
    add("metrics", text()->value_name("ADDRESS:PORT"),
        "serve figures for Prometheus there, as /metrics; of :PORT, at 127.0.0.1; or the path of a unix "
        "socket");
    add("log-level", text()->value_name("LEVEL"), "trace, debug, info, warn, err or off; info");
    return options;
}

po::options_description command_line_options() {
    po::options_description options("Options of the command line only");
    auto add = options.add_options();
    add("config", po::value<std::string>()->value_name("FILE"),
        "configuration file; else /etc/xylem/xylemd.conf");
    add("verbose,v", po::bool_switch(), "log level debug");
    add("help", "show this text");
    add("version", "show the version");
    return options;
}

void read_config(const po::variables_map& line, const po::options_description& common,
                 po::variables_map& found) {
    const bool is_named = line.count("config") != 0;
    const std::string path = is_named ? line["config"].as<std::string>() : kDefaultConfig;
    // A directory can be opened, and reads as an empty file would.
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        throw Unreadable(fmt::format("{}: the configuration file is a directory", path));
    std::ifstream file(path);
    if (!file) {
        const int reason = errno;
        const bool is_missing = reason == ENOENT || reason == ENOTDIR;
        if (is_missing && !is_named) return;
        const std::string wrong =
            fmt::format("{}: cannot read the configuration file: {}", path, ::strerrordesc_np(reason));
        if (is_missing) throw Mistake(wrong);
        throw Unreadable(wrong);
    }
    try {
        po::store(po::parse_config_file(file, common), found);
    } catch (const po::error& error) {
        throw Mistake(fmt::format("{}: {}", path, error.what()));
    }
}

std::optional<std::string> said(const po::variables_map& found, const char* name) {
    if (found.count(name) == 0) return std::nullopt;
    return found[name].as<std::string>();
}

// A number in its range, from the option or from the variable.
std::uint64_t number(const std::string& name, const std::string& text, std::uint64_t least,
                     std::uint64_t most, const char* unit) {
    const auto value = parse_size(text);
    if (value && *value >= least && *value <= most) return *value;
    throw Mistake(fmt::format("{}: '{}' is not a number of {} from {} to {}", name, text, unit, least, most));
}

void set_number(const po::variables_map& found, const char* name, std::uint64_t& value, std::uint64_t least,
                std::uint64_t most, const char* unit) {
    if (const auto text = said(found, name)) {
        value = number(std::string("--") + name, *text, least, most, unit);
    }
}

void set_files(const po::variables_map& found, Options& options) {
    Settings& settings = options.settings;
    const char* hosts = ::secure_getenv("XYLEM_HOSTS");
    if (const auto named = said(found, "hosts"); named || (hosts != nullptr && hosts[0] != '\0')) {
        settings.hosts_file = named ? *named : hosts;
        settings.hosts_file_is_named = true;
    }
    if (const auto named = said(found, "policy")) {
        settings.policy_file = *named;
        settings.policy_file_is_named = true;
    }
    options.runtime_dir = said(found, "runtime-dir").value_or("");
    settings.group = said(found, "group").value_or("");
    options.fabric_dir = said(found, "fabric-dir").value_or("");
    for (const std::string& directory : {options.runtime_dir, options.fabric_dir}) {
        if (directory.empty() || directory[0] == '/') continue;
        throw Mistake(fmt::format("'{}' is not an absolute path", directory));
    }
}

void set_domain(const po::variables_map& found, Settings& settings) {
    const char* variable = ::secure_getenv("XYLEM_DOMAIN");
    const auto named = said(found, "domain");
    if (!named && (variable == nullptr || variable[0] == '\0')) return;
    settings.domain_is_named = true;
    settings.domain = static_cast<std::uint32_t>(
        number(named ? "--domain" : "XYLEM_DOMAIN", named ? *named : variable, 0, kMaxDomain, "a domain"));
}

void set_tuning(const po::variables_map& found, Settings& settings) {
    constexpr std::uint64_t kMany = 1ULL << 40;
    settings.ring_size_is_named = found.count("ring-size") != 0;
    set_number(found, "ring-size", settings.ring_size_bytes, kMinRingSizeBytes, kMaxRingSizeBytes, "bytes");
    if (!is_valid_ring_size(settings.ring_size_bytes)) throw Mistake("--ring-size: not a power of two");
    settings.spin_is_named = found.count("spin") != 0;
    std::uint64_t spin_us = settings.spin_ns / kNsPerUs;
    set_number(found, "spin", spin_us, 0, kMaxSpinNs / kNsPerUs, "microseconds");
    settings.spin_ns = static_cast<std::uint32_t>(spin_us * kNsPerUs);
    std::uint64_t idle_s = 0;
    set_number(found, "idle-exit", idle_s, 1, 86400ULL * 365, "seconds");
    if (idle_s != 0) settings.idle_exit_ns = idle_s * kNsPerSecond;
    set_number(found, "max-ends", settings.max_ends, 1, 1 << 20, "ends");
    set_number(found, "max-ends-per-peer", settings.max_ends_per_peer, 1, 1 << 20, "ends");
    set_number(found, "max-channels", settings.max_channels, 0, 1 << 17, "channels");
    set_number(found, "max-grants", settings.max_grants, 1, 1 << 24, "pages");
    set_number(found, "max-memory", settings.max_memory_bytes, 0, kMany, "bytes");
    settings.log_level = said(found, "log-level").value_or(found["verbose"].as<bool>() ? "debug" : "info");
    constexpr std::string_view kLevels = " trace debug info warn err off ";
    if (kLevels.find(" " + settings.log_level + " ") == std::string_view::npos) {
        throw Mistake(fmt::format("--log-level: '{}' is none of:{}", settings.log_level, kLevels));
    }
}

void set_metrics(const po::variables_map& found, Settings& settings) {
    settings.metrics = said(found, "metrics").value_or("");
    if (settings.metrics.empty() || parse_metrics_address(settings.metrics)) return;
    throw Mistake(
        fmt::format("--metrics: '{}' is neither ADDRESS:PORT, with a numeric address, nor the "
                    "absolute path of a socket",
                    settings.metrics));
}

std::optional<Options> read(int argc, const char* const* argv, int& exit_code) {
    const po::options_description common = common_options();
    po::options_description all;
    all.add(common).add(command_line_options());
    po::variables_map found;
    po::store(po::command_line_parser(argc, argv).options(all).positional({}).run(), found);
    if (found.count("help") != 0) {
        std::cout
            << "Usage: xylemd [--domain N] [OPTION...]\nThe agent of one domain: introduces its programs "
               "to those of other domains.\n\n"
            << all
            << "\nExit codes: 0 ended as asked, 1 failure, 2 usage, 3 another agent serves the domain.\n";
        exit_code = 0;
        return std::nullopt;
    }
    if (found.count("version") != 0) {
        std::cout << "xylemd " << kVersion << "\n";
        exit_code = 0;
        return std::nullopt;
    }
    read_config(found, common, found);
    Options options;
    set_domain(found, options.settings);
    set_files(found, options);
    set_tuning(found, options.settings);
    set_metrics(found, options.settings);
    return options;
}

}  // namespace

std::optional<Options> read_options(int argc, const char* const* argv, int& exit_code) {
    try {
        return read(argc, argv, exit_code);
    } catch (const Unreadable& error) {
        std::cerr << "xylemd: " << error.what() << "\n";
        exit_code = kExitFailure;
        return std::nullopt;
    } catch (const std::exception& error) {
        std::cerr << "xylemd: " << error.what() << "\nTry 'xylemd --help'.\n";
        exit_code = kExitUsage;
        return std::nullopt;
    }
}

}  // namespace xylem::agent
