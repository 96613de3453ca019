"""Each test has a topic and a schema of its own on the session's servers."""

import re
from collections.abc import AsyncIterator, Callable

import pytest

from deploy.local.postgres import Postgres
from shared import faults
from tests.journeys.trial import Trial, topic_named


@pytest.fixture
async def trial(postgres: Postgres, kafka: str, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    """A service around the test's own topic, which exists; not yet running."""
    name = re.sub(r"[^a-z0-9]+", ".", request.node.name.lower())[:100]
    made = Trial(postgres, kafka, topic_named(name))
    await made.prepare()
    await made.make_topic()
    yield made
    await made.delete_topic()


@pytest.fixture
def set_faults(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets this process's fault points, as FENGSUI_FAULTS does at its start."""
    return lambda spec: monkeypatch.setattr(faults, "_rules", faults._parse(spec))
