"""What is asked of Xylem, and what was measured: eval/targets.toml, a [[target]] each.

    title = "64 B round trip, over TCP loopback"
    ours = { experiment = "transports", metric = "latency", transport = "xylem", point = { bytes = 64 } }
    than = [{ experiment = "transports", metric = "latency", transport = "tcp", point = { bytes = 64 } }]
    times = 20.0        at least so many times better than the best of `than`; below 1: at most so much worse

`point` holds what a figure's point must have; of several figures that match, the worst ratio counts. A target is met only
if nothing is missing: ours, and each of `than`, at every point that the experiments were to be played at.
"""
import tomllib

from harness.metrics import METRICS, times_better

NEEDED = {"title", "ours", "than", "times"}
WANTED_NEEDED = {"experiment", "metric", "transport"}
NOT_PLAYED = "not part of this evaluation"
OF_ANOTHER = "beside figures of another experiment, whose runs did not take turns with these"


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


def agrees(point, asked):
    """A point has all that is asked of it, as far as it says anything of that."""
    return all(point.get(key, value) == value for key, value in asked.items())


class Findings:
    """The figures of an evaluation, and what was to be measured."""

    def __init__(self, figures, experiments):
        self.figures = figures
        self.planned = {one.name: one.points() for one in experiments if not one.skip}

    def medians(self, wanted):
        """[(point, median), ...]"""
        return [(figure["point"], figure["transports"][wanted["transport"]]["median"]) for figure in self.figures
                if (figure["experiment"], figure["metric"]) == (wanted["experiment"], wanted["metric"])
                and wanted["transport"] in figure["transports"]
                and all(figure["point"].get(key) == value for key, value in wanted.get("point", {}).items())]

    def missing(self, wanted):
        """Of the points that were to be measured, in words, those without a figure."""
        found = [point for point, _ in self.medians(wanted)]
        return [text_of(wanted, planned) for planned in self.planned[wanted["experiment"]]
                if agrees(planned, wanted.get("point", {}))
                and not any(planned.items() <= point.items() for point in found)]

    def medians_beside(self, ours, wanted, point):
        """Of the same experiment that at the same point; another experiment has points of its own, of which all count."""
        return [median for other, median in self.medians(wanted) if other == point or not is_same_experiment(ours, wanted)]


def is_same_experiment(ours, wanted):
    return wanted["experiment"] == ours["experiment"]


def beside(ours, wanted):
    """Of the same experiment only what is at ours' points."""
    if not is_same_experiment(ours, wanted):
        return wanted
    return {**wanted, "point": {**ours.get("point", {}), **wanted.get("point", {})}}


def text_of(wanted, point):
    words = [f"{key}={value}" for key, value in {**point, **wanted.get("point", {})}.items()]
    return " ".join([wanted["experiment"], wanted["transport"], *words])


def ratios_of(findings, target):
    """([times better than the best of the others, of each point], [what is missing, in words])"""
    than = [beside(target["ours"], wanted) for wanted in target["than"]]
    ratios, missing = [], [text for wanted in (target["ours"], *than) for text in findings.missing(wanted)]
    for point, ours in findings.medians(target["ours"]):
        others = [findings.medians_beside(target["ours"], wanted, point) for wanted in than]
        missing += [text_of(wanted, point if is_same_experiment(target["ours"], wanted) else {})
                    for wanted, medians in zip(than, others) if not medians or min(medians) <= 0]
        found = [median for medians in others for median in medians if median > 0]
        if found and ours <= 0:
            ratios.append(0.0)  # nothing is no good figure, of whatever
        elif found:
            ratios.append(min(times_better(METRICS[target["ours"]["metric"]], ours, median) for median in found))
    return ratios, list(dict.fromkeys(missing))


def judge(figures, targets, experiments):
    """[{"title", "times" (asked), "reached", "is_met", "note"}, ...]

    is_met None: not known, and note says why. reached: at the point where that is least.
    """
    findings = Findings(figures, experiments)
    return [verdict(findings, target) for target in targets]


def verdict(findings, target):
    judged = {"title": target["title"], "times": target["times"], "reached": None, "is_met": None, "note": NOT_PLAYED}
    names = {wanted["experiment"] for wanted in (target["ours"], *target["than"])}
    if not names <= findings.planned.keys():
        return judged
    ratios, missing = ratios_of(findings, target)
    if not ratios and not missing:
        return judged
    reached = min(ratios, default=None)
    notes = ([f"not measured: {', '.join(missing)}"] if missing else []) + ([OF_ANOTHER] if len(names) > 1 else [])
    is_missed = reached is not None and reached < target["times"]
    is_known = is_missed or (reached is not None and not missing)
    return {**judged, "reached": reached, "is_met": not is_missed if is_known else None, "note": "; ".join(notes)}
