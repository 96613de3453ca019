"""A process whose partitions went to another shows none of them any more, else replicas would count them twice."""

import pytest
from prometheus_client import REGISTRY

from deploy.local.postgres import Postgres
from tests.journeys.trial import Trial, intake_of, topic_named, wires
from tests.stack import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PATIENCE_S = 60.0


async def test_a_process_that_lost_its_partitions_counts_none_of_them(postgres: Postgres, kafka: str):
    trial = Trial(postgres, kafka, topic_named("ops.stand.by"))
    await trial.prepare()
    await trial.make_topic()

    async def opened() -> float | None:
        return REGISTRY.get_sample_value("fengsui_partitions", {"topic": "ops.stand.by", "state": "open"})

    try:
        async with trial.running() as service:
            await trial.write(wires(range(3)))
            await trial.took(3, PATIENCE_S)
            await until(opened, lambda count: count == 1, PATIENCE_S)

            await intake_of(service).on_partitions_revoked(set())

            await until(opened, lambda count: count == 0, PATIENCE_S)
    finally:
        await trial.delete_topic()
