// Table: one pass for the widths, one for the lines. A width of 0 marks a column that is left out.
#include "control/cli/table.hpp"

#include <algorithm>

namespace xylem::cli {
namespace {

constexpr std::size_t kGap = 2;

std::string line_of(const std::vector<Cell>& cells, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& widths, bool colours) {
    std::string line;
    std::size_t owed = 0;  // blanks to write before the next text
    bool first = true;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (widths[i] == 0) continue;
        if (!first) owed += kGap;
        first = false;
        const std::size_t padding = widths[i] - cells[i].text.size();
        if (columns[i].align == Align::right) owed += padding;
        if (!cells[i].text.empty()) {
            line += std::string(owed, ' ') + painted(cells[i].text, cells[i].paint, colours);
            owed = 0;
        }
        if (columns[i].align == Align::left) owed += padding;
    }
    return line + "\n";
}

}  // namespace

std::vector<std::size_t> Table::widths(std::size_t most_columns) const {
    std::vector<std::size_t> result(columns_.size(), 0);
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < columns_.size(); ++i) result[i] = std::max(result[i], row[i].text.size());
    }
    std::size_t taken = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (result[i] == 0) continue;
        result[i] = std::max(result[i], columns_[i].title.size());
        taken += (taken == 0 ? 0 : kGap) + result[i];
        if (taken > most_columns) {
            std::fill(result.begin() + static_cast<std::ptrdiff_t>(i), result.end(), 0);
            break;
        }
    }
    return result;
}

std::string Table::text(bool colours, std::size_t most_columns) const {
    const std::vector<std::size_t> width = widths(most_columns);
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.emplace_back(column.title, Paint::heading);
    std::string result = line_of(titles, columns_, width, colours);
    for (const auto& row : rows_) result += line_of(row, columns_, width, colours);
    return result;
}

}  // namespace xylem::cli
