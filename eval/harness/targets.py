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
    if not isinstance(targets, list):
        raise BadTarget(f"{path}: write [[target]], with two brackets")
    for target in targets:
        check(path, target)
    return targets


def check(path, target):
    title = target.get("title", target) if isinstance(target, dict) else target
    if not isinstance(target, dict) or set(target) != NEEDED:
        raise BadTarget(f"{path}: a target has {', '.join(sorted(NEEDED))}: {title}")
    if not isinstance(target["times"], (int, float)) or target["times"] <= 0:
        raise BadTarget(f"{path}: {title}: times must be a number above 0")
    if not isinstance(target["than"], list) or not target["than"]:
        raise BadTarget(f"{path}: {title}: than must be a list of figures")
    for wanted in (target["ours"], *target["than"]):
        if not is_wanted(wanted):
            raise BadTarget(f"{path}: {title}: not the figures of an experiment: {wanted}")


def is_wanted(wanted):
    return isinstance(wanted, dict) and WANTED_NEEDED <= set(wanted) \
        and all(isinstance(wanted[key], str) for key in WANTED_NEEDED) and wanted["metric"] in METRICS \
        and isinstance(wanted.get("point", {}), dict)


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
        return [(figure["point"], samples["median"]) for figure, samples in self.wanted_samples(wanted)]

    def wanted_samples(self, wanted):
        """[(figure, its samples over that transport), ...]"""
        return [(figure, figure["transports"][wanted["transport"]]) for figure in self.figures
                if (figure["experiment"], figure["metric"]) == (wanted["experiment"], wanted["metric"])
                and wanted["transport"] in figure["transports"]
                and all(figure["point"].get(key) == value for key, value in wanted.get("point", {}).items())]

    def missing(self, wanted):
        """Of the points that were to be measured, in words, those without a figure."""
        found = [point for point, _ in self.medians(wanted)]
        return [text_of(wanted, planned) for planned in self.planned[wanted["experiment"]]
                if agrees(planned, wanted.get("point", {}))
                and not any(planned.items() <= point.items() for point in found)]

    def thinned(self, wanted):
        """In words, how many runs there are where not all that were to be gave a figure."""
        return [f"{text_of(wanted, figure['point'])} of {len(samples['samples'])} of {figure['runs']} runs"
                for figure, samples in self.wanted_samples(wanted) if len(samples["samples"]) < figure["runs"]]

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
    thinned = [text for wanted in (target["ours"], *target["than"]) for text in findings.thinned(beside(target["ours"], wanted))]
    notes = ([f"not measured: {', '.join(missing)}"] if missing else []) + thinned + ([OF_ANOTHER] if len(names) > 1 else [])
    is_missed = reached is not None and reached < target["times"]
    is_known = is_missed or (reached is not None and not missing)
    return {**judged, "reached": reached, "is_met": not is_missed if is_known else None, "note": "; ".join(notes)}
