"""Every alert fires when it should and else does not, and says what to do."""

import subprocess
from typing import Any

import pytest
import yaml

from tests.ops.rules import ELSEWHERE, FOLDER, RUNBOOKS, alerts, selectors, tool

SEVERITIES = {"critical", "warning", "none"}


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool("promtool"), *words], cwd=FOLDER, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trials() -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / "rules_test.yml").read_text("utf-8"))["tests"]


def fired(trial: dict[str, Any]) -> set[str]:
    """The alerts that a trial expects."""
    samples = [sample["labels"] for question in trial["promql_expr_test"] for sample in question["exp_samples"]]
    return {rule["alert"] for rule in alerts() if any(f'alertname="{rule["alert"]}"' in labels for labels in samples)}


@pytest.mark.prometheus
def test_prometheus_takes_the_configuration_and_the_rules():
    config, rules = (
        promtool("check", "config", "prometheus.yml"),
        promtool("check", "rules", "--lint-fatal", "rules.yml"),
    )

    assert config.returncode == 0, config.stdout + config.stderr
    assert rules.returncode == 0, rules.stdout + rules.stderr


@pytest.mark.prometheus
def test_each_fault_fires_its_alert_and_a_healthy_stack_none():
    tested = promtool("test", "rules", "rules_test.yml")

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_no_alert_is_left_untested(trials):
    expected = {rule["alert"] for rule in alerts()}

    assert set().union(*map(fired, trials)) == expected


def test_the_healthy_stack_has_all_that_an_alert_looks_at(trials):
    healthy = {series["series"].partition("{")[0] for series in trials[0]["input_series"]}
    looked_at = {name for rule in alerts() for name in map(bare, selectors(rule["expr"])) if ":" not in name}

    assert looked_at - healthy == set()


def bare(selector: str) -> str:
    return selector.partition("{")[0]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_grave_it_is_and_where_its_page_is(rule):
    notes = rule["annotations"]

    assert rule["labels"]["severity"] in SEVERITIES
    assert notes["summary"]
    assert notes["description"]
    assert notes["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    assert (RUNBOOKS / f"{rule['alert']}.md").is_file()


def test_only_named_metrics_come_from_elsewhere():
    read = {bare(selector) for rule in alerts() for selector in selectors(rule["expr"])}

    assert {name for name in read if name.startswith("probe_")} == ELSEWHERE
