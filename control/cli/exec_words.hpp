// The argument vector that exec(3) wants, over words that stay where they are.
#pragma once

#include <string>
#include <vector>

namespace xylem::cli {

// Ends with a null pointer; valid as long as `words` is.
inline std::vector<char*> exec_words(const std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace xylem::cli
