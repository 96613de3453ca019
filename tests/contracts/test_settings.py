"""Whoever reads the README knows every setting."""

from deploy.contracts import FOLDER
from shared.settings import Settings


def test_every_setting_stands_in_the_readme():
    readme = (FOLDER.parent / "README.md").read_text("utf-8")

    missing = [name for name in Settings.model_fields if f"`FENGSUI_{name.upper()}`" not in readme]

    assert missing == []
