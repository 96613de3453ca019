"""The rules as they stand in the file, and the metrics that an expression looks at."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
ELSEWHERE = {"probe_ssl_earliest_cert_expiry"}
"""Of an exporter that is not ours (prometheus.yml says which)."""

SELECTOR = re.compile(r"(?<![\w:])((?:\w*:)*(?:fengsui|process|probe)[\w:]*|up)(\{[^}]*\})?")


def rules() -> list[dict[str, Any]]:
    """All rules, recording and alerting."""
    document = yaml.safe_load((FOLDER / "rules.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """The alerting rules; an alert of two severities is two rules."""
    return [rule for rule in rules() if "alert" in rule]


def selectors(expr: str) -> list[str]:
    """Every metric that an expression reads, with its matchers."""
    return [name + matchers for name, matchers in SELECTOR.findall(expr)]


def tool(name: str) -> str:
    """Where deploy/prometheus.sh found it, or else on the path."""
    folder = os.environ.get("FENGSUI_PROMETHEUS")
    found = str(Path(folder) / name) if folder else shutil.which(name)
    if found is None:
        run = subprocess.run(
            ["sh", str(ROOT / "deploy" / "prometheus.sh")], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        found = str(Path(run.stdout.strip()) / name)
    return found
