// An agent in this process that takes itself for one of a Xen guest, domain 1: XenStore is the test's, and so
// is what Xen knows. Without the devices no control ring comes to be.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <map>
#include <set>

#include "control/agent/agent.hpp"
#include "control/agent/xen/xen_peers.hpp"
#include "tests/control/agent_process.hpp"

namespace xylem::agent_test {

class FakeXenStore final : public XenStore {
  public:
    FakeXenStore() : XenStore(1), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

    Result<std::string> read(const std::string& path) override {
        ++reads[path];
        if (errors.count(path) != 0) return fail(ErrorKind::system, errors[path]);
        if (nodes.count(path) == 0) return fail(ErrorKind::system, ENOENT);
        return nodes[path];
    }
    bool show(const std::string& path, const std::string& text, DomainId) override {
        if (refuses) return refuse(refusal);
        nodes[path] = text;
        return true;
    }
    bool show_all(const std::string& path, const std::string& text) override { return show(path, text, 0); }
    void remove(const std::string& path) override { nodes.erase(path); }
    bool watch(const std::string& path) override {
        if (refuses) return refuse(refusal);
        watched.insert(path);
        change(path);  // as XenStore says first of each
        return true;
    }
    void unwatch(const std::string& path) override { watched.erase(path); }
    std::vector<std::string> list(const std::string& path) override {
        std::vector<std::string> names;
        for (auto node = nodes.lower_bound(path + "/"); node != nodes.end(); ++node) {
            if (node->first.rfind(path + "/", 0) != 0) break;
            const std::string rest = node->first.substr(path.size() + 1);
            if (rest.find('/') == std::string::npos) names.push_back(rest);
        }
        return names;
    }
    int fd() const override { return event_.get(); }
    std::vector<std::string> changed() override {
        eventfd_t ignored = 0;
        ::eventfd_read(event_.get(), &ignored);
        return std::exchange(changed_, {});
    }
    void change(const std::string& path) {
        if (watched.count(path) == 0) return;
        changed_.push_back(path);
        ::eventfd_write(event_.get(), 1);
    }

    std::map<std::string, std::string> nodes;
    std::map<std::string, int> errors;  // of reading, by path
    std::map<std::string, unsigned> reads;
    std::set<std::string> watched;
    bool refuses = false;  // to write and to watch
    int refusal = EIO;

  private:
    UniqueFd event_;
    std::vector<std::string> changed_;
};

class GuestAgent : public testing::Test {
  protected:
    GuestAgent() {
        spdlog::set_level(spdlog::level::off);
        agent::Settings settings;
        settings.max_grants = 100;
        loop_ = std::move(*agent::EventLoop::make());
        agent_ = std::make_unique<agent::Agent>(*loop_, settings);
        std::string error;
        EXPECT_TRUE(agent_->map.open(scratch_.path("no-hosts"), false, error)) << error;
        auto store = std::make_unique<FakeXenStore>();
        store_ = store.get();
        agent_->xen = std::make_unique<agent::XenPeers>(*agent_, std::move(store));
        agent_->xen->is_known = [this](DomainId id) { return known_.count(id) != 0; };
    }
    ~GuestAgent() override { spdlog::set_level(spdlog::level::info); }
    template <class Holds>
    bool comes_to(Holds holds, std::uint64_t patience_ns = 10 * kNsPerSecond) {
        for (const std::uint64_t until_ns = deadline_after(patience_ns); now_ns() < until_ns;) {
            if (holds()) return true;
            loop_->run_once(20 * kNsPerMs);
        }
        return holds();
    }
    void turns(int count) {
        for (int i = 0; i < count; ++i) loop_->run_once(0);
    }

    static std::string theirs(DomainId id) { return agent::XenMeeting::peers_path(1, id); }
    static std::string ours(DomainId id) { return agent::XenMeeting::own_path(id); }
    void show_node_of(DomainId id, std::uint64_t life = 7) {
        agent::XenMeeting meeting;
        meeting.life = life;
        store_->nodes[theirs(id)] = meeting.text();
        store_->change(theirs(id));
    }
    void remove_node_of(DomainId id) {
        store_->nodes.erase(theirs(id));
        store_->change(theirs(id));
    }

    RuntimeScratch scratch_;
    std::unique_ptr<agent::EventLoop> loop_;
    std::unique_ptr<agent::Agent> agent_;
    FakeXenStore* store_ = nullptr;
    std::set<DomainId> known_;
};

}  // namespace xylem::agent_test
