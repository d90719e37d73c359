"""For tests of the evaluation: its modules can be imported, and there are experiments and results that nobody measured."""
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 20
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "eval"))

from harness.experiment import Experiment  # noqa: E402  (so below: the path must be there first)
from harness.plan import Turn  # noqa: E402
from harness.results import Results  # noqa: E402


@dataclass(frozen=True)
class Carrier:
    name: str

    @property
    def label(self):
        return self.name.upper()


def experiment_of(name, **changes):
    fields = {"figure": "e", "title": name, "question": "?", "tool": "exchange", "repetitions": 1, **changes}
    return Experiment(name=name, **fields)


def results_of(experiment, metric, samples):
    """samples: [(point, {transport: values}), ...]"""
    found = Results()
    for point, values in samples:
        for transport, several in values.items():
            for repetition, value in enumerate(several):
                found.add(Turn(experiment, Carrier(transport), (), repetition), metric, point, value)
    return found


def eventually(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()
