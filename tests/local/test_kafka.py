"""The embedded broker formats nothing that stands, and says when its own memory was cut off."""

from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import Kafka
from deploy.refusal import Refusal
from tests.stack import until

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One that is running at the beginning and stopped by the tests."""
    started = Kafka(tmp_path_factory.mktemp("kafka") / "烽燧 home")
    started.home.mkdir()
    started.start()
    yield started
    started.stop()


async def test_a_topic_exists_only_when_it_was_made(broker: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()

    before = await admin.list_topics()
    await admin.create_topics([NewTopic("alarms", 2, 1)])

    assert before == []
    await until(admin.list_topics, lambda names: names == ["alarms"])  # the broker's own copy follows its controller
    await admin.close()


async def test_a_broker_whose_metadata_was_cut_off_is_refused_with_the_names(broker: Kafka) -> None:
    broker.stop()
    (log,) = (broker.data / "__cluster_metadata-0").glob("*.log")
    saved = log.read_bytes()
    log.write_bytes(b"")

    broker.start()
    with pytest.raises(Refusal, match=r"__cluster_metadata-0 no longer knows the topics alarms"):
        await broker.refuse_if_forgotten()

    broker.stop()
    broker.start()
    with pytest.raises(Refusal, match="alarms"):  # however often it is started
        await broker.refuse_if_forgotten()
    broker.stop()
    log.write_bytes(saved)


@pytest.mark.parametrize("content", [b"", b"\xff\x00 garbage", b"version=1\nnode.id=1\ncluster.id=x\n", None])
def test_a_garbled_identity_is_named_and_nothing_is_formatted(broker: Kafka, content: bytes | None) -> None:
    broker.stop()
    meta = broker.data / "meta.properties"
    saved = meta.read_bytes()
    meta.unlink() if content is None else meta.write_bytes(content)

    with pytest.raises(Refusal, match=r"meta\.properties is missing or garbled, and .* nothing was formatted"):
        broker.prepare()

    meta.write_bytes(saved)


def test_another_homes_data_is_refused(broker: Kafka) -> None:
    broker.stop()
    secret = broker.home / "secrets" / "kafka.cluster"
    saved = secret.read_text()
    secret.write_text("A" * 22 + "\n")

    with pytest.raises(Refusal, match=r"meta\.properties belongs to cluster"):
        broker.prepare()

    secret.write_text(saved)


def test_a_wrong_heap_is_refused_by_the_settings_name(broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_KAFKA_HEAP", "lots")

    with pytest.raises(Refusal, match="FENGSUI_KAFKA_HEAP is 'lots'; it should be"):
        broker.child()
