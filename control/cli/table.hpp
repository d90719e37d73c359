// Aligned columns. Widths come from the text alone, so colours do not disturb them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/cli/terminal.hpp"

namespace xylem::cli {

enum class Align : std::uint8_t { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
};

struct Cell {
    std::string text;
    Paint paint = Paint::none;

    Cell(std::string plain) : text(std::move(plain)) {}
    Cell(const char* plain) : text(plain) {}
    Cell(std::string plain, Paint how) : text(std::move(plain)), paint(how) {}
};

class Table {
  public:
    static constexpr std::size_t kAnyWidth = ~std::size_t{0};

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as there are columns.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.empty(); }
    // Title line and rows, each ended by a line feed and without blanks at its end. A column in which every
    // cell is empty is left out, and so are those at the end that do not fit whole into so many columns of
    // the terminal: half a number would be another one.
    std::string text(bool colours, std::size_t most_columns = kAnyWidth) const;

  private:
    std::vector<std::size_t> widths(std::size_t most_columns) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace xylem::cli
