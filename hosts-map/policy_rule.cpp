// A policy line reads as a sentence with fixed words: allow|deny from WHO to port WHICH. The reader
// takes one word after the other; a missing word is reported where it should have been.
#include "hosts-map/policy_rule.hpp"

#include <vector>

#include "hosts-map/word.hpp"

namespace xylem {

namespace {

constexpr std::string_view kAny = "any";
constexpr std::string_view kNode = "node:";
constexpr std::string_view kSourceForm = "dom:N, node:ADDRESS[:PORT][/dom:N] or any";
constexpr std::string_view kPortForm = "a port from 1 to 4294967294, a range such as 8000-8999, or any";

// Takes the words of a line in order.
class Sentence {
  public:
    explicit Sentence(const std::vector<text::Word>& words) : words_(words) {}

    // The next word; an error if there is none.
    Result<text::Word, Diagnostic> word(std::string_view expected) {
        if (next_ < words_.size()) return words_[next_++];
        return text::wrong_at(words_.back().end(), "the line ends too early", std::string(expected));
    }
    Result<void, Diagnostic> fixed(std::string_view expected) {
        auto next = word(expected);
        if (!next) return tl::unexpected(next.error());
        if (next->text == expected) return {};
        return text::wrong_at(*next, "unexpected word " + text::in_quotes(next->text), std::string(expected));
    }
    Result<void, Diagnostic> end() const {
        if (next_ == words_.size()) return {};
        const text::Word& extra = words_[next_];
        return text::wrong_at(extra, "unexpected word " + text::in_quotes(extra.text), "the end of the line");
    }

  private:
    const std::vector<text::Word>& words_;
    std::size_t next_ = 0;
};

Result<void, Diagnostic> parse_verb(Sentence& sentence, PolicyRule& rule) {
    auto word = sentence.word("allow or deny");
    if (!word) return tl::unexpected(word.error());
    rule.allows = word->text == "allow";
    if (rule.allows || word->text == "deny") return {};
    return text::wrong_at(*word, "unexpected word " + text::in_quotes(word->text), "allow or deny");
}

Result<void, Diagnostic> parse_source_domain(const text::Word& word, PolicyRule& rule) {
    auto domain = parse_domain(word);
    if (!domain) return tl::unexpected(domain.error());
    rule.source_domain = *domain;
    return {};
}

// What follows "node:".
Result<void, Diagnostic> parse_source_node(const text::Word& word, PolicyRule& rule) {
    const std::size_t slash = word.text.find('/');
    auto node = parse_node(word.before(slash));
    if (!node) return tl::unexpected(node.error());
    rule.source_node = *node;
    if (slash == word.text.npos) return {};
    return parse_source_domain(word.from(slash + 1), rule);
}

Result<void, Diagnostic> parse_source(Sentence& sentence, PolicyRule& rule) {
    auto word = sentence.word(kSourceForm);
    if (!word) return tl::unexpected(word.error());
    if (word->text == kAny) return {};
    if (word->text.starts_with(kNode)) return parse_source_node(word->from(kNode.size()), rule);
    if (word->text.starts_with("dom:")) return parse_source_domain(*word, rule);
    return text::wrong_at(*word, text::in_quotes(word->text) + " is not a source", std::string(kSourceForm));
}

std::string source_text(const PolicyRule& rule) {
    const std::string domain = rule.source_domain ? "dom:" + std::to_string(*rule.source_domain) : "";
    if (!rule.source_node) return domain.empty() ? std::string(kAny) : domain;
    const std::string node = to_string(*rule.source_node);  // with a domain
    return node.substr(0, node.rfind('/')) + (domain.empty() ? "" : "/" + domain);
}

Result<std::uint32_t, Diagnostic> parse_port(const text::Word& word) {
    auto port = text::number(word.text, kMaxWrittenPort);
    if (port && *port > 0) return static_cast<std::uint32_t>(*port);
    return text::wrong_at(word, text::in_quotes(word.text) + " is not a port", std::string(kPortForm));
}

Result<void, Diagnostic> parse_ports(Sentence& sentence, PolicyRule& rule) {
    auto word = sentence.word(kPortForm);
    if (!word) return tl::unexpected(word.error());
    if (word->text == kAny) return {};
    std::size_t dash = word->text.find('-');
    auto first = parse_port(word->before(dash));
    if (!first) return tl::unexpected(first.error());
    auto last = dash == word->text.npos ? first : parse_port(word->from(dash + 1));
    if (!last) return tl::unexpected(last.error());
    if (*first > *last) {
        return text::wrong_at(*word, "the range " + text::in_quotes(word->text) + " runs backwards",
                              std::to_string(*last) + "-" + std::to_string(*first));
    }
    rule.first_port = *first;
    rule.last_port = *last;
    return {};
}

Result<void, Diagnostic> parse_sentence(Sentence& sentence, PolicyRule& rule) {
    return parse_verb(sentence, rule)
        .and_then([&] { return sentence.fixed("from"); })
        .and_then([&] { return parse_source(sentence, rule); })
        .and_then([&] { return sentence.fixed("to"); })
        .and_then([&] { return sentence.fixed("port"); })
        .and_then([&] { return parse_ports(sentence, rule); })
        .and_then([&] { return sentence.end(); });
}

bool is_of_node(const std::string& name, const Place& node) {
    const std::string address = to_string(node.node);
    if (node.node_port != 0) return name == node_name(node);
    const bool is_ipv6 = node.node.family == AF_INET6;
    return name == address || name.starts_with(is_ipv6 ? "[" + address + "]:" : address + ":");
}

}  // namespace

bool PolicyRule::is_from(const PolicySource& source) const {
    if (source_domain && *source_domain != source.domain) return false;
    if (source_node) return is_of_node(source.node, *source_node);
    return !source_domain || source.node.empty();
}

Result<std::optional<PolicyRule>, Diagnostic> parse_policy_line(std::string_view text,
                                                                std::uint32_t line_number) {
    auto words = text::words_of({text, line_number});
    if (!words) return tl::unexpected(words.error());
    if (words->empty()) return std::optional<PolicyRule>();
    PolicyRule rule;
    rule.line = line_number;
    Sentence sentence(*words);
    if (auto parsed = parse_sentence(sentence, rule); !parsed) return tl::unexpected(parsed.error());
    return rule;
}

std::string to_string(const PolicyRule& rule) {
    std::string ports = std::to_string(rule.first_port);
    if (rule.first_port == 0) {
        ports = kAny;
    } else if (rule.first_port != rule.last_port) {
        ports += "-" + std::to_string(rule.last_port);
    }
    return (rule.allows ? "allow from " : "deny from ") + source_text(rule) + " to port " + ports;
}

}  // namespace xylem
