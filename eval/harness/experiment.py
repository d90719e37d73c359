"""Experiments: what is measured, over which transports, at which points. One small TOML file each, in eval/experiments.

    figure = "b"                          the figure of the report that it belongs to
    title = "..."
    question = "..."                      what a reader learns from it
    tool = "iperf3"                       a module of eval/tools
    transports = ["tcp", "xylem"]         of eval/harness/transports.py; of some tools none
    repetitions = 3
    expected_seconds = 2                  of one run, until one has been seen
    [settings]                            of the tool, the same at each point
    [vary]                                a run at each combination; the first is the x axis of its pictures
    connections = [1, 2, 4]
    [quick]                               replaces keys of above, for `make eval-quick`: repetitions, settings, vary
    skip = true                           in [quick]: not then
"""
import itertools
import tomllib
from dataclasses import dataclass, field

KEYS = {"figure", "title", "question", "tool", "transports", "repetitions", "expected_seconds", "settings", "vary", "quick"}
QUICK_KEYS = {"repetitions", "settings", "vary", "skip"}
QUICK_SECONDS = 2  # of a run, until one has been seen
NEEDED = {"figure", "title", "question", "tool", "repetitions"}


class BadExperiment(Exception):
    """The text names the file and what is wrong with it."""


@dataclass
class Experiment:
    name: str
    figure: str
    title: str
    question: str
    tool: str
    repetitions: int
    transports: list = field(default_factory=lambda: ["machine"])
    expected_seconds: float = 3
    settings: dict = field(default_factory=dict)
    vary: dict = field(default_factory=dict)
    skip: bool = False

    def points(self):
        """[{key: value}, ...]: one run of each transport at each."""
        return [dict(zip(self.vary, values)) for values in itertools.product(*self.vary.values())]


def load(path, is_quick=False):
    """The experiment of a file, in its quick form or in full."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadExperiment(f"{path}: {error}") from error
    check(path, found)
    quick = found.pop("quick", {})
    if is_quick:
        found["expected_seconds"] = QUICK_SECONDS
        for key, value in quick.items():
            found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return Experiment(name=path.stem, **found)


TEXTS = ("figure", "title", "question", "tool")
KINDS = {"a number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
         "a word": lambda value: isinstance(value, str) and value != "",
         "a table": lambda value: isinstance(value, dict),
         "a list of words": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value)}
KIND_OF = {**dict.fromkeys(TEXTS, "a word"), **dict.fromkeys(("settings", "vary", "quick"), "a table"),
           "transports": "a list of words", "expected_seconds": "a number"}


def check_kinds(path, form):
    for key, kind in KIND_OF.items():
        if key in form and not KINDS[kind](form[key]):
            raise BadExperiment(f"{path}: {key} must be {kind}")


def check(path, found):
    check_kinds(path, found)
    check_kinds(path, found.get("quick", {}))
    for what, keys in (("unknown", set(found) - KEYS), ("missing", NEEDED - set(found)),
                       ("unknown in [quick]", set(found.get("quick", {})) - QUICK_KEYS)):
        if keys:
            raise BadExperiment(f"{path}: {what}: {', '.join(sorted(keys))}")
    quick = found.get("quick", {})
    if unknown := set(quick.get("vary", {})) - set(found.get("vary", {})):
        raise BadExperiment(f"{path}: quick.vary has what vary has not: {', '.join(sorted(unknown))}")
    for form in (found, quick):
        repetitions = form.get("repetitions", 1)
        if not isinstance(repetitions, int) or isinstance(repetitions, bool) or repetitions < 1:
            raise BadExperiment(f"{path}: repetitions must be a whole number from 1 on")
        for key, values in form.get("vary", {}).items():
            if not isinstance(values, list) or not values or any(isinstance(value, (list, dict)) for value in values):
                raise BadExperiment(f"{path}: vary.{key} must be a list of values")


def load_all(folder, wanted=(), is_quick=False):
    """Those of the folder whose name or figure is wanted; without wanted ones all. In the order of figures."""
    paths = sorted(folder.glob("*.toml"))
    every = [load(path, is_quick) for path in paths]
    names = {path.stem for path in paths} | {experiment.figure for experiment in every}
    if unknown := set(wanted) - names:
        raise BadExperiment(f"no experiment is called {', '.join(sorted(unknown))}; there are: {' '.join(p.stem for p in paths)}")
    chosen = [one for one in every if not wanted or one.name in wanted or one.figure in wanted]
    return sorted(chosen, key=lambda one: (one.figure, one.name))
