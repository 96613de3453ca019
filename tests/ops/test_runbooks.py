"""Each alert has its page, each page its alert, and the commands and addresses on the pages exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.core import TyperGroup
from yarl import URL

from deploy.cli import app
from deploy.contracts import FOLDER
from shared.service import PORTS
from shared.settings import Settings
from tests.ops.rules import ROOT, RUNBOOKS, alerts

PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
HEADINGS = ["What it means for people", "How to see it", "What to do", "Over when"]
COMMAND = re.compile(r"(?:^|[`(])(fengsui [a-z][^`\n#)]*)", re.MULTILINE)
REQUEST = re.compile(r"(?:^|[`(])(curl [^`\n]*)", re.MULTILINE)
SERVICES = {Settings.model_fields["port_base"].default + offset: name for name, offset in PORTS.items()}
HEALTH = ("/healthz", "/readyz", "/metrics")


def severities(alert: str) -> set[str]:
    return {rule["labels"]["severity"] for rule in alerts() if rule["alert"] == alert}


def test_every_alert_has_its_page_and_every_page_its_alert():
    assert [page.stem for page in PAGES] == sorted({rule["alert"] for rule in alerts()})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_who_is_concerned_what_to_do_and_when_it_is_over(page):
    text = page.read_text("utf-8")

    assert text.startswith(f"# {page.stem}\n\nSeverity: ")
    assert re.findall("^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert all(severity in text.splitlines()[2] for severity in severities(page.stem))


def test_the_index_names_every_page():
    index = (RUNBOOKS / "README.md").read_text("utf-8")

    assert sorted(re.findall(r"^\| \[(\w+)\]\(\1\.md\)", index, re.MULTILINE)) == [page.stem for page in PAGES]


def test_no_link_leads_nowhere():
    for page in RUNBOOKS.glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"
        for named in re.findall(r"`(deploy/[^` ]+|docs/[^` ]+)`", page.read_text("utf-8")):
            assert (ROOT / named).exists(), f"{page.name}: {named}"


def commands() -> Iterator[tuple[Path, str]]:
    for page in RUNBOOKS.glob("*.md"):
        for found in COMMAND.findall(page.read_text("utf-8")):
            yield page, found.strip()


def test_every_command_on_a_page_exists_with_its_options():
    named = list(commands())

    assert len(named) > 20
    for page, line in named:
        words = shlex.split(line)[1:]
        command = typer.main.get_command(app)
        while isinstance(command, TyperGroup) and words:
            name = words.pop(0)
            assert name in command.commands, f"{page.name}: {line}"
            command = command.commands[name]
        assert not isinstance(command, TyperGroup), f"{page.name}: {line} lacks a command"
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, f"{page.name}: {line}"
        needed = [each for each in command.params if each.param_type_name == "argument" and each.required]
        assert len([word for word in words if not word.startswith("-")]) >= len(needed), f"{page.name}: {line}"


def served(service: str, path: str) -> dict[str, Any]:
    """The methods that a service has for a path; one without a contract is asked only for its health."""
    contract = FOLDER / f"{service}.openapi.json"
    if not contract.exists():
        return {"get": {}} if path in HEALTH else {}
    paths = orjson.loads(contract.read_bytes())["paths"]
    fits = (re.fullmatch("[^/]+".join(map(re.escape, re.split(r"{\w+}", known))), path) and known for known in paths)
    return paths.get(path) or next((paths[known] for known in fits if known), {})


def test_every_address_that_a_page_asks_is_served_at_its_port():
    asked = [(page, line) for page in RUNBOOKS.glob("*.md") for line in REQUEST.findall(page.read_text("utf-8"))]

    assert len(asked) > 10
    for page, line in asked:
        words = shlex.split(line, comments=True)
        (url,) = (URL(word) for word in words if word.startswith("http"))
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        assert url.port in SERVICES, f"{page.name}: {line}"
        methods = served(SERVICES[url.port], url.path)
        assert method.lower() in methods, f"{page.name}: {line}"
        known = {parameter["name"] for parameter in methods[method.lower()].get("parameters", ())}
        assert set(url.query) <= known, f"{page.name}: {line}"
        for port, name in re.findall(r"(\d{4}) ([a-z]+)", line.rpartition("#")[2]):
            assert SERVICES.get(int(port)) == name, f"{page.name}: {line}"
