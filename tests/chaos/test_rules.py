"""The edits that remove a rule of the delivery contract still fit the code."""

from pathlib import Path

import pytest

from bench.chaos.ledger import CHECKS
from bench.chaos.rules import RULES, Rule, copied

RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@RULE
def test_a_rule_can_be_removed_from_a_copy_that_still_compiles(rule: Rule, tmp_path: Path) -> None:
    tree = copied(tmp_path, rule)

    for edit in rule.edits:
        changed = (tree / edit.file).read_text("utf-8")
        assert edit.new in changed
        if edit.file.endswith(".py"):
            compile(changed, edit.file, "exec")


@RULE
def test_a_rule_names_checks_that_the_ledger_makes(rule: Rule) -> None:
    made = {name.replace("__", " ") for name in CHECKS}

    assert set(rule.finds) <= made
