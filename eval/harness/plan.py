"""All runs of an evaluation in their order, and how long the rest will take.

Of one experiment the transports take turns within a repetition (A B A B), so that what disturbs the machine for a while
disturbs them alike.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """One run: everything that tells it from the others."""
    experiment: object
    transport: object
    point: tuple  # of (key, value)
    repetition: int

    def text(self):
        point = " ".join(f"{key}={value}" for key, value in self.point)
        return f"{self.experiment.name} {self.transport.label} {point}".rstrip()


class Plan:
    def __init__(self, experiments, transports_of):
        """transports_of(experiment): those that can be had here."""
        transports = {experiment.name: transports_of(experiment) for experiment in experiments}
        self.turns = [Turn(experiment, transport, tuple(point.items()), repetition)
                      for experiment in experiments
                      for repetition in range(experiment.repetitions)
                      for point in experiment.points()
                      for transport in transports[experiment.name]]
        self.took = {}

    def expected(self, turn):
        took = self.took.get((turn.experiment.name, turn.transport.name)) or self.took.get(turn.experiment.name)
        return sum(took) / len(took) if took else turn.experiment.expected_seconds

    def seconds_left(self, index):
        return sum(map(self.expected, self.turns[index:]))

    def finished(self, turn, seconds):
        self.took.setdefault((turn.experiment.name, turn.transport.name), []).append(seconds)
        self.took.setdefault(turn.experiment.name, []).append(seconds)
