"""`make bench-plot`: the last kept run as pictures for the README."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.speed.results import newest, ratios

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
OURS, PEER, LIMIT, FAINT = "#c0392b", "#7f8c8d", "#d5d8dc", "#34495e"
Results = dict[str, Any]
Bar = tuple[str, float | None, str, str]
"""Its name, figure, colour, and what is written behind the figure."""


def draw(found: Results, folder: Path) -> list[Path]:
    """Every picture that the run has figures for."""
    drawn = []
    for name, parts, picture in (
        ("throughput", ("throughput",), _throughput),
        ("latency", ("latency",), _latency),
        ("ledger", ("ledger",), _ledger),
        ("memory", ("memory",), _memory),
    ):
        if all(part in found for part in parts):
            file = folder / f"bench-{name}.png"
            figure = Figure(figsize=(9, 5.5 if name == "throughput" else 3.6), layout="constrained")
            picture(figure.subplots(), found)
            figure.savefig(file, dpi=130)
            drawn.append(file)
    return drawn


def _throughput(axes: Axes, found: Results) -> None:
    bars = list(_bars(found))[::-1]
    names, figures, colours, notes = zip(*bars, strict=True)
    axes.barh(names, [figure or 0 for figure in figures], color=colours, height=0.7)
    for place, (figure, note) in enumerate(zip(figures, notes, strict=True)):
        axes.text((figure or 1) * 1.06, place, f"{figure or 0:,.0f}{note}", va="center", fontsize=8)
    axes.set_xscale("log")
    known = [figure for figure in figures if figure]
    axes.set_xlim(min(known) / 2, max(known) * 8)
    axes.set_title("Distinct red alarms a second (log scale)", loc="left")
    _bare(axes)


def _bars(found: Results) -> Iterable[Bar]:
    for run in found["throughput"]:
        pushed = "one by one" if run["batch"] == 1 else f"batches of {run['batch']}"
        for stage, words in (
            ("accepted", "accepted"),
            ("case", "to committed case"),
            ("notification", "to notification row"),
            ("delivered", "to called webhook"),
            ("statistics", "to statistics"),
        ):
            beside = [
                f"{ratio:,.2g} × {peer}" for peer, ratio in ratios(found, run, stage).items() if "bare" not in peer
            ]
            yield f"{words}, {pushed}", run["rates"][stage], OURS, f"   {', '.join(beside)}" if beside else ""
    for run in found.get("alertmanager", {}).get("runs", []):
        pushed = "one by one" if run["batch"] == 1 else f"batches of {run['batch']}"
        grouping = run["grouping"].partition(":")[0]
        yield f"Alertmanager told, {grouping}, {pushed}", run["rates"]["delivered"], PEER, "   in memory"
    if "alerta" in found:
        yield "Alerta kept, one by one", found["alerta"]["rates"]["kept"], PEER, ""
    for name, rate in found.get("limits", {}).items():
        yield f"bare {name.replace('_', ' ')}", rate, LIMIT, "   limit"


def _latency(axes: Axes, found: Results) -> None:
    offered = [run["offered"] for run in found["latency"]]
    for stage, words, colour in (("case", "committed case", FAINT), ("delivered", "called webhook", OURS)):
        for name, line in (("p50", ":"), ("p99", "-"), ("p99.9", "--")):
            values = [run[f"{stage}_ms"][name] for run in found["latency"]]
            axes.plot(offered, values, line, color=colour, marker="o", markersize=3, label=f"{words}, {name}")
    axes.axhline(500, color=LIMIT, linewidth=1)
    axes.text(offered[0], 520, "aim: p99 under 0.5 s", fontsize=8, color=PEER)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(offered, [f"{each:,.0f}" for each in offered])
    axes.minorticks_off()
    axes.set_xlabel("offered alarms a second, one by one, open loop")
    axes.set_ylabel("ms since it was due")
    axes.set_title("From the moment of pushing", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _bare(axes)


def _ledger(axes: Axes, found: Results) -> None:
    cases = [run["cases"] for run in found["ledger"]]
    names = sorted({name for run in found["ledger"] for name in run["cpu_s_per_1000"]["processes"]} - {"webhook"})
    for name in names:
        values = [run["cpu_s_per_1000"]["processes"].get(name, 0) for run in found["ledger"]]
        axes.plot(cases, values, marker="o", markersize=4, label=name)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("cases in the ledger")
    axes.set_ylabel("CPU s per 1,000 alarms")
    axes.set_title("What an alarm costs against the work already there", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _bare(axes)


def _memory(axes: Axes, found: Results) -> None:
    used = {name: each for name, each in found["memory"]["after"].items() if name != "webhook"}
    idle = found["memory"]["idle"]
    names = sorted(used, key=lambda name: used[name]["pss"])
    axes.barh(names, [used[name]["pss"] for name in names], color=OURS, height=0.6, label="after the load")
    axes.barh(names, [idle[name]["pss"] for name in names], color=FAINT, height=0.25, label="at rest")
    for place, name in enumerate(names):
        axes.text(used[name]["pss"] + 8, place, f"{used[name]['pss']:,.0f} MiB", va="center", fontsize=8)
    axes.set_xlim(right=max(used[name]["pss"] for name in names) * 1.15)
    axes.set_title("Memory by process (PSS, MiB)", loc="left")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


if __name__ == "__main__":
    for file in draw(orjson.loads(newest().read_bytes()), FOLDER):
        print(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
