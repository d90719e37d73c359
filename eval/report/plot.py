"""A picture of one metric of one experiment: its first varying key along the x axis, a line for each transport.

Where other keys vary too, a panel for each of their combinations; where nothing that has an order varies, bars with numbers.
"""
import io
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend must be chosen first)
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: E402

from report import words  # noqa: E402

STYLES = {"xylem": ("#1f6f8b", "s"), "tcp": ("#b2522f", "o"), "unix": ("#6b8f3a", "^"), "vsock": ("#8a5a9c", "v"),
          "pipe": ("#b59b2d", "D"), "ring": ("#555555", "x"), "machine": ("#444444", "o"), "netfront": ("#b2522f", "o"),
          "vchan": ("#6b8f3a", "^"), "rsocket": ("#8a5a9c", "v"), "device": ("#555555", "x")}
# What prefers to be the x axis, in this order.
X_KEYS = ("ring_bytes", "bytes", "length_bytes", "percentile", "connections", "pairs")
LOGARITHMIC = {"bytes", "ring_bytes", "length_bytes", "connections", "pairs"}
MOST_TICKS = 8
PANELS_A_ROW = 3


def colour_of(transport):
    return STYLES[transport][0]


def columns_of(figures):
    """Transports in the order in which they appear."""
    return list(dict.fromkeys(name for figure in figures for name in figure["transports"]))


def x_key_of(figures):
    """None: nothing that has an order varies."""
    point = figures[0]["point"]
    candidates = [*(key for key in X_KEYS if key in point), *(key for key in point if key not in X_KEYS)]
    for key in candidates:
        values = {figure["point"][key] for figure in figures}
        if len(values) > 2 and all(isinstance(value, (int, float)) for value in values):
            return key
    return None


def lines_of(figures, x_key):
    """The same figures; of one transport alone the values of the first other key that varies, instead of transports."""
    names = columns_of(figures)
    varying = [key for key in figures[0]["point"] if key != x_key and len({figure["point"][key] for figure in figures}) > 1]
    if len(names) > 1 or not varying:
        return figures
    merged = {}
    for figure in figures:
        point = {key: value for key, value in figure["point"].items() if key != varying[0]}
        line = merged.setdefault(tuple(point.items()), {"point": point, "transports": {}})
        line["transports"][words.named(varying[0], figure["point"][varying[0]])] = figure["transports"][names[0]]
    return list(merged.values())


def panels_of(figures, x_key):
    """{text of the other keys: figures}"""
    panels = defaultdict(list)
    for figure in figures:
        rest = [words.named(key, value) for key, value in figure["point"].items() if key != x_key]
        panels[", ".join(rest)].append(figure)
    return panels


def draw_lines(axes, figures, metric, x_key):
    places = sorted({figure["point"][x_key] for figure in figures})
    for number, name in enumerate(columns_of(figures)):
        found = sorted((figure["point"][x_key], figure["transports"][name]) for figure in figures if name in figure["transports"])
        xs = [places.index(x) if x_key == "percentile" else x for x, _ in found]
        colour, marker = STYLES.get(name) or list(STYLES.values())[number]
        scaled = {part: [samples[part] * metric.scale for _, samples in found] for part in ("median", "lowest", "highest")}
        axes.plot(xs, scaled["median"], color=colour, marker=marker, markersize=4, linewidth=1.6, label=words.transport(name))
        axes.fill_between(xs, scaled["lowest"], scaled["highest"], color=colour, alpha=0.15, linewidth=0)
    if x_key == "percentile":
        axes.set_xticks(range(len(places)), [f"{x:g}" for x in places])
    if x_key in LOGARITHMIC:
        set_ticks(axes, places, x_key)
    values = [samples["median"] for figure in figures for samples in figure["transports"].values()]
    if min(values) > 0 and max(values) / min(values) > 20:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(values) / min(values) < 1000 else (1,)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(words.key(x_key))


def set_ticks(axes, xs, x_key):
    """Where there are too many for labels: the powers of two of equal distance among them."""
    axes.set_xscale("log", base=2)
    shown = xs
    for step in range(1, xs[-1].bit_length()):
        if len(shown) > MOST_TICKS:
            shown = [1 << power for power in range(0, xs[-1].bit_length(), step) if xs[0] <= 1 << power <= xs[-1]]
    axes.set_xticks(shown, [words.value(x_key, x) for x in shown])
    axes.xaxis.set_minor_locator(NullLocator())


def draw_bars(axes, bars, metric):
    """bars: [(label, colour, samples), ...]"""
    for place, (_, colour, samples) in enumerate(bars):
        middle, low, high = (samples[part] * metric.scale for part in ("median", "lowest", "highest"))
        spread = [[middle - low], [high - middle]] if high > low else None
        axes.bar(place, middle, 0.7, color=colour, yerr=spread, ecolor="#333333", capsize=3)
        axes.annotate(metric.text(samples["median"]), (place, high), xytext=(0, 3), textcoords="offset points", ha="center",
                      fontsize=9)
    axes.set_xticks(range(len(bars)), [label for label, _, _ in bars])
    axes.set_xlim(-0.7, len(bars) - 0.3)
    axes.margins(y=0.15)


def bars_of(figures):
    """{title of a panel: bars}. Of one transport all in one panel; of several a panel for each point: they differ too much."""
    def text_of(point):
        return ", ".join(words.named(key, value) for key, value in point.items())

    names = columns_of(figures)
    if len(names) == 1:
        return {"": [(text_of(figure["point"]), colour_of(names[0]), figure["transports"][names[0]]) for figure in figures]}
    return {text_of(figure["point"]): [(words.transport(name), colour_of(name), samples)
                                       for name, samples in figure["transports"].items()] for figure in figures}


def draw(figures, metric):
    """The picture as bytes of a PNG."""
    x_key = x_key_of(figures)
    if x_key:
        figures = lines_of(figures, x_key)
    panels = panels_of(figures, x_key) if x_key else bars_of(figures)
    columns = 2 if len(panels) == 4 else min(PANELS_A_ROW, len(panels))
    rows = -(-len(panels) // columns)
    width = 7.5 if len(panels) == 1 else 4.6 * columns
    picture, grid = pyplot.subplots(rows, columns, figsize=(width, 3.8 * rows), squeeze=False, constrained_layout=True)
    cells = list(grid.flat)
    for axes, (title, shown) in zip(cells, panels.items()):
        if x_key:
            draw_lines(axes, shown, metric, x_key)
        else:
            draw_bars(axes, shown, metric)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(f"{metric.title}, {metric.shown_unit}")
        axes.grid(True, axis="both" if x_key else "y", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
    for axes in cells[len(panels):]:
        axes.set_visible(False)
    if x_key and len(columns_of(figures)) > 1:
        lines = {line.get_label(): line for axes in cells for line in axes.get_lines()}
        picture.suptitle(" ")  # keeps room for it
        picture.legend(lines.values(), lines.keys(), loc="upper left", ncols=len(lines), frameon=False, fontsize=9)
    output = io.BytesIO()
    picture.savefig(output, format="png", dpi=110)
    pyplot.close(picture)
    return output.getvalue()
