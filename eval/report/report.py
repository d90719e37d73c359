"""report.html: one file with everything in it, pictures too; nothing of it is fetched from anywhere."""
import base64
import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from harness.metrics import METRICS
from harness.results import OURS
from report import plot, words

FOLDER = Path(__file__).resolve().parent


@dataclass
class Section:
    """Of one experiment: a picture and a table for each of its metrics."""
    experiment: object
    parts: list = field(default_factory=list)
    samples: int = 0  # most of any figure and transport


@dataclass
class Part:
    metric: object
    picture: str  # PNG, base64
    header: list
    rows: list


def table_of(figures, metric):
    columns = plot.columns_of(figures)
    keys = list(figures[0]["point"])
    others = [name for name in columns if name != OURS] if OURS in columns else []
    header = [*(words.key(key) for key in keys), *(f"times {words.transport(name)}" for name in others),
              *(f"{words.transport(name)}, {metric.shown_unit}" for name in columns)]
    rows = []
    for figure in figures:
        cells = [words.value(key, figure["point"][key]) for key in keys]
        cells += [words.ratio(figure.get("times_better", {}).get(name)) for name in others]
        cells += [cell(metric, figure["transports"].get(name), figure["runs"]) for name in columns]
        rows.append(cells)
    return header, rows


def cell(metric, samples, runs):
    if samples is None:
        return ""
    text, count = metric.text(samples["median"]), len(samples["samples"])
    if samples["lowest"] != samples["highest"]:
        text += f" ({metric.text(samples['lowest'])} to {metric.text(samples['highest'])})"
    return f"{text}, of {count} of {runs} runs" if count < runs else text


def sections_of(found, experiments):
    grouped = defaultdict(lambda: defaultdict(list))
    for figure in found.figures():
        grouped[figure["experiment"]][figure["metric"]].append(figure)
    for experiment in experiments:
        section = Section(experiment)
        for name, figures in grouped[experiment.name].items():
            metric = METRICS[name]
            header, rows = table_of(figures, metric)
            counts = (len(one["samples"]) for figure in figures for one in figure["transports"].values())
            section.samples = max(section.samples, *counts)
            picture = base64.b64encode(plot.draw(figures, metric)).decode("ascii")
            section.parts.append(Part(metric, picture, header, rows))
        yield section


def write(path, found, experiments, summary):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    text = environment.get_template("report.html.j2").render(
        **summary, sections=list(sections_of(found, experiments)), left_out=found.left_out, failures=found.failures,
        ring_gigabytes=sum(found.carried) / 1e9,
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), words=words)
    path.write_text(text, encoding="utf-8")
