"""The committed dashboards are those that the code makes."""

from pathlib import Path

import orjson
import pytest
import yaml

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.boards import documents
from deploy.grafana.panels import SOURCE

PROVISIONING = FOLDER.parent / "provisioning"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return documents()


def test_the_committed_dashboards_are_those_that_the_code_makes(made):
    """If this fails: `python -m deploy.grafana`, and look at the difference."""
    kept = {path.name: path.read_bytes() for path in FOLDER.glob("*")}

    assert kept == made


def test_every_panel_says_what_it_shows_and_asks_the_source_that_is_provisioned(made):
    source = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text("utf-8"))["datasources"][0]
    panels = [panel for content in made.values() for panel in orjson.loads(content)["panels"] if panel["type"] != "row"]

    assert (source["type"], source["uid"]) == (SOURCE.type_val, SOURCE.uid)
    assert len(panels) > 50
    for panel in panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"]["uid"] == source["uid"]
        assert panel["targets"]


def test_no_panel_covers_another(made):
    for name, content in made.items():
        taken: dict[tuple[int, int], str] = {}
        for panel in orjson.loads(content)["panels"]:
            grid = panel["gridPos"]
            cells = {
                (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
            }
            assert grid["x"] + grid["w"] <= 24
            assert not cells & taken.keys(), (
                f"{Path(name).stem}: {panel['title']} lies on {taken[min(cells & taken.keys())]}"
            )
            taken |= dict.fromkeys(cells, panel["title"])


def test_every_panel_has_a_number_of_its_own(made):
    for content in made.values():
        ids = [panel["id"] for panel in orjson.loads(content)["panels"]]
        assert sorted(set(ids)) == sorted(ids)
