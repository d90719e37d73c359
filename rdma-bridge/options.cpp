// Options. What is wrong is told with the option's name and what is right instead.
#include "rdma-bridge/options.hpp"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <iostream>
#include <stdexcept>

#include "control/protocol/socket_names.hpp"
#include "rdma-bridge/node_name.hpp"
#include "vsock-transport/base/clock.hpp"

namespace xylem::bridge {
namespace {

namespace po = boost::program_options;

constexpr const char* kProgramVersion = "0.1.0";
constexpr std::uint64_t kMaxSpinUs = 10'000;
constexpr std::uint64_t kMaxPatienceSeconds = 3600;
constexpr std::uint64_t kMaxPinnedMiB = 1 << 20;

po::options_description known_options() {
    po::options_description options("Options");
    auto add = options.add_options();
    const auto text = [](const char* what) { return po::value<std::string>()->value_name(what); };
    add("listen", text("ADDRESS[:PORT]"),
        "where other nodes reach this one, as their hosts maps call it; an IPv6 address with a port in "
        "brackets. "
        "Port 7480");
    add("name", text("ADDRESS[:PORT]"), "what hosts maps call this node, if it is not the same");
    add("key", text("FILE"), "the key that all nodes share; /etc/xylem/node.key");
    add("runtime-dir", text("DIR"),
        "as xylemd has it; else XYLEM_RUNTIME_DIR, else /run/xylem or the user's own");
    add("fabric-dir", text("DIR"),
        "where the agents of this node meet; else XYLEM_FABRIC_DIR, else fabric in the runtime directory");
    add("spin", text("US"), "how long to look before a sleep at most, in microseconds; 20");
    add("transport", text("KIND"),
        "what carries to other nodes: verbs (an RDMA device), tcp, or auto: verbs where a device has the "
        "address. auto");
    add("pinned", text("MIB"),
        "how much memory of rings RDMA devices may write into and read from; the bytes of other rings are "
        "copied. 256");
    add("patience", text("SECONDS"),
        "how long connections wait for a node whose link is lost, before they are reset; 10");
    add("verbose,v", po::bool_switch(), "log level debug");
    add("help", "show this text");
    add("version", "show the version");
    return options;
}

void set_directory(const po::variables_map& found, const char* option, const char* variable) {
    if (found.count(option) == 0) return;
    const auto path = found[option].as<std::string>();
    if (path[0] != '/')
        throw std::runtime_error(fmt::format("--{}: '{}' is not an absolute path", option, path));
    ::setenv(variable, path.c_str(), 1);
}

// No hosts map calls a node so: its own lines would be taken for another node's.
void refuse_wildcard(const char* option, const std::string& text) {
    if (!is_wildcard(name_of(*node_address(text)))) return;
    throw std::runtime_error(fmt::format(
        "--{}: '{}' names no node: say the address that hosts maps use, or --name", option, text));
}

void set_listen(const po::variables_map& found, Settings& settings) {
    if (found.count("listen") == 0) {
        throw std::runtime_error(
            "--listen: tell an address of this node, as the hosts maps of other nodes call it");
    }
    const auto text = found["listen"].as<std::string>();
    const auto address = node_address(text);
    if (!address) throw std::runtime_error(fmt::format("--listen: '{}' is no ADDRESS or ADDRESS:PORT", text));
    if (found.count("name") == 0) refuse_wildcard("listen", text);
    settings.listen = text;
    settings.port = address->port();
}

void set_name(const po::variables_map& found, Settings& settings) {
    if (found.count("name") == 0) return;
    settings.name = found["name"].as<std::string>();
    if (!node_address(settings.name))
        throw std::runtime_error(fmt::format("--name: '{}' is no ADDRESS or ADDRESS:PORT", settings.name));
    refuse_wildcard("name", settings.name);
}

// unit: its name, and how many of the value's it is.
void set_number(const po::variables_map& found, const char* option, std::uint64_t most,
                std::pair<const char*, std::uint64_t> unit, std::uint64_t& value) {
    if (found.count(option) == 0) return;
    const auto text = found[option].as<std::string>();
    std::uint64_t number = 0;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last || number > most) {
        throw std::runtime_error(
            fmt::format("--{}: '{}' is not a number of {} from 0 to {}", option, text, unit.first, most));
    }
    value = number * unit.second;
}

void set_transport(const po::variables_map& found, Settings& settings) {
    if (found.count("transport") == 0) return;
    const auto text = found["transport"].as<std::string>();
    const std::pair<const char*, Transport> kinds[] = {
        {"auto", Transport::automatic}, {"verbs", Transport::verbs}, {"tcp", Transport::tcp}};
    for (const auto& [name, kind] : kinds) {
        if (text != name) continue;
        settings.transport = kind;
        return;
    }
    throw std::runtime_error(fmt::format("--transport: '{}' is not auto, verbs or tcp", text));
}

std::optional<Settings> read(int argc, const char* const* argv) {
    const po::options_description options = known_options();
    po::variables_map found;
    po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), found);
    if (found.count("help") != 0) {
        std::cout
            << "Usage: xylem-rdma --listen ADDRESS[:PORT] [OPTION...]\n"
               "The bridge of one node: carries connections between its domains and those of other nodes.\n\n"
            << options << "\nExit codes: 0 ended as asked, 1 failure, 2 usage.\n";
        return std::nullopt;
    }
    if (found.count("version") != 0) {
        std::cout << "xylem-rdma " << kProgramVersion << "\n";
        return std::nullopt;
    }
    Settings settings;
    set_directory(found, "runtime-dir", "XYLEM_RUNTIME_DIR");
    set_directory(found, "fabric-dir", "XYLEM_FABRIC_DIR");
    set_listen(found, settings);
    set_name(found, settings);
    set_transport(found, settings);
    set_number(found, "pinned", kMaxPinnedMiB, {"MiB", 1 << 20}, settings.most_pinned_bytes);
    set_number(found, "spin", kMaxSpinUs, {"microseconds", kNsPerUs}, settings.spin_ns);
    set_number(found, "patience", kMaxPatienceSeconds, {"seconds", kNsPerSecond}, settings.patience_ns);
    if (found.count("key") != 0) settings.key_file = found["key"].as<std::string>();
    settings.log_level = found["verbose"].as<bool>() ? "debug" : "info";
    return settings;
}

}  // namespace

std::optional<Settings> read_options(int argc, const char* const* argv, int& exit_code) {
    exit_code = 0;
    try {
        return read(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "xylem-rdma: " << error.what() << "\nTry 'xylem-rdma --help'.\n";
        exit_code = kExitUsage;
        return std::nullopt;
    }
}

}  // namespace xylem::bridge
