"""What runs with which settings, and in which order it ends."""

from pathlib import Path

import pytest

from deploy.local import plan
from deploy.local.plan import Servers, Service
from deploy.refusal import Refusal

HOME = Path("home")
SERVERS = Servers(
    "127.0.0.1:9092",
    "postgresql://postgres:superuser@127.0.0.1:5432/postgres",
    {"ingest_work": "w", "ingest_ask": "a", "notify_work": "nw", "notify_ask": "na"},
)


def env_of(name: str, demo: bool = False, **operators: str) -> dict[str, str]:
    service = Service(name, 3, ("run", name))
    return dict(plan.service_child(service, HOME, 8000, SERVERS, operators, demo).env)


def test_a_service_knows_its_own_two_roles_and_no_other_password() -> None:
    env = env_of("ingest", FENGSUI_POSTGRES="postgresql://admin:admin@elsewhere/x", FENGSUI_TOKEN="t")

    assert env["FENGSUI_POSTGRES_WORK"] == "postgresql://ingest_work:w@127.0.0.1:5432/fengsui"
    assert env["FENGSUI_POSTGRES_ASK"] == "postgresql://ingest_ask:a@127.0.0.1:5432/fengsui"
    assert not {"FENGSUI_POSTGRES", "FENGSUI_TOKEN"} & env.keys()
    assert not any("superuser" in value or "notify" in value for value in env.values())


def test_the_operators_other_settings_reach_the_service() -> None:
    env = env_of("ingest", FENGSUI_RATE_LIMIT="7", FENGSUI_JWKS="https://keys.example/jwks", LANG="zh_CN.UTF-8")

    assert env["FENGSUI_RATE_LIMIT"] == "7"
    assert env["FENGSUI_JWKS"] == "https://keys.example/jwks"
    assert env["LANG"] == "zh_CN.UTF-8"


def test_a_service_is_told_its_place() -> None:
    env = env_of("ingest")

    assert env["FENGSUI_PORT"] == "8003"
    assert env["FENGSUI_PORT_BASE"] == "8000"
    assert env["FENGSUI_HOME"] == "home"
    assert env["FENGSUI_KAFKA"] == "127.0.0.1:9092"
    assert env["FENGSUI_JWKS"] == "home/secrets/jwks.json"


def test_only_notify_may_reach_the_demos_phone_and_only_with_the_demo() -> None:
    assert env_of("notify", demo=True)["FENGSUI_WEBHOOK_ALLOW"] == "127.0.0.0/8"
    assert env_of("notify", demo=True, FENGSUI_WEBHOOK_ALLOW="10.0.0.0/8")["FENGSUI_WEBHOOK_ALLOW"] == (
        "10.0.0.0/8,127.0.0.0/8"
    )
    assert "FENGSUI_WEBHOOK_ALLOW" not in env_of("notify")
    assert "FENGSUI_WEBHOOK_ALLOW" not in env_of("ingest", demo=True)


def test_other_settings_make_another_fit_and_another_terminal_does_not() -> None:
    service = Service("ingest", 1, ("run",))

    plain = plan.service_child(service, HOME, 8000, SERVERS, {"TERM": "xterm"}, False)
    elsewhere = plan.service_child(service, HOME, 8000, SERVERS, {"TERM": "dumb"}, False)
    limited = plan.service_child(service, HOME, 8000, SERVERS, {"FENGSUI_RATE_LIMIT": "1"}, False)
    moved = plan.service_child(service, HOME, 9000, SERVERS, {}, False)

    assert plain.fit == elsewhere.fit
    assert len({plain.fit, limited.fit, moved.fit}) == 3


def test_the_feed_ends_first_and_the_servers_last() -> None:
    order = plan.stopping_order(["postgres", "kafka", "ingest", "feed", "phone", "hazards"])

    assert order == [["feed"], ["hazards", "ingest", "phone"], ["kafka"], ["postgres"]]


def test_pauses_double_from_a_fifth_of_a_second_to_five() -> None:
    assert [plan.backoff(deaths) for deaths in range(1, 8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@pytest.mark.parametrize("given", ["", "here", "here:port", "here:1,", "here:1 there:2"])
def test_a_wrong_address_of_kafka_is_refused_by_the_settings_name(given: str) -> None:
    with pytest.raises(Refusal, match="FENGSUI_KAFKA should be"):
        plan.outside_kafka(given)


def test_several_addresses_of_kafka_are_asked_at_the_first() -> None:
    probe = plan.outside_kafka("one.example:9092,two.example:9093")

    assert (probe.host, probe.port) == ("one.example", 9092)


@pytest.mark.parametrize("given", ["here", "mysql://a:b@here/x", "postgresql:///x", "postgresql://a:b@here:port/x"])
def test_a_wrong_address_of_postgres_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(Refusal, match="FENGSUI_POSTGRES should be") as refused:
        plan.outside_postgres(given)

    assert given not in str(refused.value)
