#!/usr/bin/python3
"""Prints what `make check-apps` has found: a line a program, and the ratios of Xylem to TCP.

    table.py TABLE

TABLE has lines of `program|version|connections|bytes|connects over TCP|result`, TABLE.ratios lines of
`what|unit|figures over TCP|figures over rings`; tests/apps/harness/programs.sh writes both.
"""
import statistics
import sys
from pathlib import Path

HEADING = ("program", "version", "connections", "bytes", "connects over TCP", "result")
RATIO_HEADING = ("what", "unit", "TCP", "Xylem", "ratio")


def rows_of(path):
    if not path.exists():
        return []
    return [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]


def show(heading, rows):
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    for row in [heading, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def ratio_row(what, unit, tcp, ring):
    """Medians; the least and the largest figure in brackets."""
    tcp, ring = ([float(figure) for figure in figures.split()] for figures in (tcp, ring))
    if not tcp or not ring or statistics.median(tcp) == 0:
        return (what, unit, "?", "?", "?")

    def text(figures):
        return f"{statistics.median(figures):.6g} ({min(figures):.6g}..{max(figures):.6g})"

    return (what, unit, text(tcp), text(ring), f"{statistics.median(ring) / statistics.median(tcp):.2f}")


def main():
    table = Path(sys.argv[1])
    show(HEADING, rows_of(table))
    ratios = [ratio_row(*row) for row in rows_of(table.with_name(table.name + ".ratios"))]
    if ratios:
        print("\nmedians of three runs each")
        show(RATIO_HEADING, ratios)


if __name__ == "__main__":
    main()
