"""What is asked of Xylem, and what was measured: eval/targets.toml, a [[target]] each.

    title = "64 B round trip, over TCP loopback"
    ours = { experiment = "transports", metric = "latency", transport = "xylem", point = { bytes = 64 } }
    than = [{ experiment = "transports", metric = "latency", transport = "tcp", point = { bytes = 64 } }]
    times = 20.0        at least so many times better than the best of `than`; below 1: at most so much worse

`point` holds what a figure's point must have; of several figures that match, the worst ratio counts.
"""
import tomllib

from harness.metrics import METRICS, times_better

NEEDED = {"title", "ours", "than", "times"}
WANTED_NEEDED = {"experiment", "metric", "transport"}


class BadTarget(Exception):
    """The text names the file and what is wrong with it."""


def load(path):
    try:
        targets = tomllib.loads(path.read_text(encoding="utf-8")).get("target", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTarget(f"{path}: {error}") from error
    for target in targets:
        title = target.get("title", target)
        if set(target) != NEEDED:
            raise BadTarget(f"{path}: a target has {', '.join(sorted(NEEDED))}: {title}")
        for wanted in (target["ours"], *target["than"]):
            if not WANTED_NEEDED <= set(wanted) or wanted["metric"] not in METRICS:
                raise BadTarget(f"{path}: {title}: not the figures of an experiment: {wanted}")
    return targets


def matches(figure, wanted):
    return (figure["experiment"] == wanted["experiment"] and figure["metric"] == wanted["metric"]
            and wanted["transport"] in figure["transports"]
            and all(figure["point"].get(key) == value for key, value in wanted.get("point", {}).items()))


def medians_of(figures, wanted):
    """[(point, median), ...]"""
    return [(figure["point"], figure["transports"][wanted["transport"]]["median"])
            for figure in figures if matches(figure, wanted)]


def medians_beside(figures, target, wanted, point):
    """Of the same experiment those at the same point; another experiment has points of its own, of which all count."""
    is_same = wanted["experiment"] == target["ours"]["experiment"]
    return [median for other, median in medians_of(figures, wanted) if other == point or not is_same]


def reached(figures, target):
    """How many times better than the best of the others, at the point where that is least; None: not measured."""
    metric = METRICS[target["ours"]["metric"]]
    ratios = []
    for point, ours in medians_of(figures, target["ours"]):
        others = [median for wanted in target["than"] for median in medians_beside(figures, target, wanted, point)]
        found = [times_better(metric, ours, other) for other in others]
        ratios += [ratio for ratio in found if ratio is not None]
    return min(ratios, default=None)


def judge(figures, targets):
    """[{"title", "times" (asked), "reached", "is_met"}, ...]; is_met None: not measured."""
    judged = []
    for target in targets:
        ratio = reached(figures, target)
        judged.append({"title": target["title"], "times": target["times"], "reached": ratio,
                       "is_met": None if ratio is None else ratio >= target["times"]})
    return judged
