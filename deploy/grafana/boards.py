"""All dashboards as the files that Grafana takes."""

import orjson
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.foundations import bus, business, database
from deploy.grafana.overview import overview
from deploy.grafana.services import services


def dashboards() -> tuple[Dashboard, ...]:
    """In the order in which one looks at them."""
    return (overview(), *services(), bus(), database(), business())


def documents() -> dict[str, bytes]:
    """File names and contents."""
    plain = [orjson.loads(JSONEncoder().encode(board.build())) for board in dashboards()]
    return {
        f"{board['uid']}.json": orjson.dumps(board, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        for board in plain
    }
