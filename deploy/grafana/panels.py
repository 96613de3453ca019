"""The two kinds of panels that we have, so that all dashboards look alike and say their units."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import BigValueColorMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

SOURCE = DataSourceRef("prometheus", "fengsui-prometheus")
"""As provisioning/datasources/prometheus.yml names it."""
PACE = "$__rate_interval"
TAG = "fengsui"


@dataclass(frozen=True, slots=True)
class Line:
    """A query and the name of its series, as in `{{topic}}`."""

    expr: str
    legend: str


def number(title: str, expr: str, what: str, unit: str = "short", bad_from: float | None = None) -> stat.Panel:
    """One figure of now, red from a bound on; `what` is the sentence behind the small i."""
    steps = [Threshold(None, "green")]
    if bad_from is not None:
        steps.append(Threshold(bad_from, "red"))
    return (
        stat.Panel()
        .title(title)
        .description(what)
        .datasource(SOURCE)
        .unit(unit)
        .height(4)
        .span(4)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(BigValueColorMode.BACKGROUND if bad_from is not None else BigValueColorMode.VALUE)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(prometheus.Dataquery().expr(expr).instant().ref_id("A"))
    )


def graph(title: str, lines: Sequence[Line], what: str, unit: str = "short") -> timeseries.Panel:
    """Figures over time, from zero."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(what)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .height(8)
        .span(8)
        .fill_opacity(8)
        .legend(common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM))
    )
    for place, line in enumerate(lines):
        query = prometheus.Dataquery().expr(line.expr).legend_format(line.legend).range().ref_id(chr(ord("A") + place))
        panel = panel.with_target(query)
    return panel


def board(
    uid: str, title: str, rows: Sequence[tuple[str, Sequence[stat.Panel | timeseries.Panel]]]
) -> dashboard.Dashboard:
    """A dashboard of titled rows."""
    ids = count(1)
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags([TAG])
        .timezone("browser")
        .refresh("10s")
        .time("now-1h", "now")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(dashboard.DashboardLink("Fengsui").type(DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True))
    )
    for name, panels in rows:
        made = made.with_row(dashboard.Row(name).id(next(ids)))
        for panel in panels:
            made = made.with_panel(panel.id(next(ids)))
    return made


def p99(histogram: str, by: str = "", matching: str = "") -> str:
    """What one in a hundred takes longer than, in seconds."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile(0.99, sum by ({labels}) (rate({histogram}_bucket{matching}[{PACE}])))"
