"""A person sees why partitions stopped and what each way on means, and moves positions only by saying so."""

import asyncio
from pathlib import Path

import pytest

from deploy.tokens import mint
from tests.cli.doors import Doors, Heard, Says
from tests.stack import Stack, hazard, until, uscc

PATH = "/v1/partitions"
STOPPED = {
    "topic": "alarms",
    "partition": 3,
    "next": 41,
    "moved_at": "2026-11-25T08:00:00Z",
    "stopped": "the topic was made again, or this is another cluster: its offsets mean nothing here",
    "fault": "another_log",
    "log": {"first": 0, "end": 12},
    "choices": {
        "beginning": {"offset": 0, "again": 12, "skipped": 0},
        "end": {"offset": 12, "again": 0, "skipped": 12},
    },
}
WELL = STOPPED | {"partition": 4, "stopped": None, "fault": None}
REPAIR = "/v1/partitions/alarms/3/repair"


def listing(*items: dict) -> Says:
    return Says({"items": list(items), "next": None})


def moved(heard: Heard) -> Says:
    """The answer to a repair, dry or not."""
    plan = STOPPED["choices"]["end" if heard.json["from"] == "end" else "beginning"]
    return Says({"topic": "alarms", "partition": 3, "done": heard.query["dry_run"] == "false"} | plan)


@pytest.fixture
def repair(cli_home: Path, doors: Doors, fengsui):
    """One partition of hazards is stopped, all else is well."""
    for service in ("ingest", "hazards", "notify", "reporting"):
        doors.say(service, PATH, listing(WELL))
    doors.say("hazards", PATH, listing(WELL, STOPPED))
    doors.say("hazards", REPAIR, moved)
    return lambda *words, **more: fengsui("offsets", "repair", *words, "--home", cli_home, **more)


def test_where_nothing_is_wrong_it_says_so(doors: Doors, repair):
    doors.say("hazards", PATH, listing(WELL))

    ran = repair()

    assert (ran.code, ran.out) == (0, "no partition is stopped\n")


def test_a_service_that_is_down_hides_no_partition_of_the_others(doors: Doors, repair):
    doors.say("notify", PATH, Says(None, 502))

    ran = repair()

    assert "alarms/3" in ran.out
    assert ran.code == 1
    assert ran.err.startswith("notify at ")


def test_an_offset_moves_nothing_while_a_service_is_down(doors: Doors, repair):
    doors.say("notify", PATH, Says(None, 502))

    ran = repair("--from", "7", "--yes")

    assert ran.code == 1
    assert ran.err.startswith("notify at ")
    assert doors.to(REPAIR) == []


def test_the_others_say_again_while_a_service_is_down(doors: Doors, repair):
    doors.say("ingest", PATH, Says(None, 502))
    for service in ("hazards", "notify", "reporting"):
        doors.say(service, "/v1/outbox/say-again", Says({"marked": 0}))

    ran = repair("--topic", "alarms", "--resend", "2026-11-25T00:00:00Z")

    assert ran.out.splitlines()[-3:] == [
        f"{service} says 0 events of alarms again" for service in ("hazards", "notify", "reporting")
    ]
    assert ran.err.startswith("ingest at ")


def test_nothing_is_called_well_while_a_service_is_down(doors: Doors, repair):
    doors.say("hazards", PATH, Says(None, 502))

    ran = repair()

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("hazards at ")


def test_what_is_wrong_is_listed_with_what_each_way_on_means(doors: Doors, repair):
    ran = repair()

    row = ran.out.splitlines()[1].split("  ")
    assert ran.code == 1
    assert [cell.strip() for cell in row if cell.strip()] == [
        "hazards",
        "alarms/3",
        "41",
        "0 to 12",
        "12 again, 0 skipped",
        "0 again, 12 skipped",
        STOPPED["stopped"],
    ]
    assert "--from beginning, end, an OFFSET or a time" in ran.out
    assert "--resend" in ran.out
    assert doors.to(REPAIR) == []


def test_nothing_is_moved_before_a_person_agrees(doors: Doors, repair):
    refused = repair("--from", "end", stdin="n\n")
    agreed = repair("--from", "end", stdin="y\n")

    asked = [(heard.query["dry_run"], heard.json) for heard in doors.to(REPAIR)]
    assert (refused.code, agreed.code) == (1, 0)
    assert "lost for that service" in refused.out
    assert agreed.out.endswith("hazards goes on with alarms/3 at 12\n")
    assert asked == [(dry, {"from": "end", "next": 41}) for dry in ("true", "true", "false")]


@pytest.mark.parametrize(("where", "sent"), [("7", 7), ("2026-11-25T08:00:00+08:00", "2026-11-25T08:00:00+08:00")])
def test_whoever_says_yes_is_not_asked(doors: Doors, repair, where: str, sent: object):
    ran = repair("--from", where, "--yes")

    assert ran.code == 0
    assert [heard.json["from"] for heard in doors.to(REPAIR)] == [sent, sent]


def test_only_what_is_named_is_moved(doors: Doors, repair):
    doors.say("notify", PATH, listing(STOPPED))

    elsewhere = repair("--topic", "cases", "--from", "beginning", "--yes")
    both = repair("--from", "7", "--yes")
    one = repair("--service", "hazards", "--from", "7", "--yes")

    assert elsewhere.err == "no stopped partition is meant by these options"
    assert both.err == "an offset is one partition's: name it by --service, --topic and --partition"
    assert (one.code, {heard.service for heard in doors.to(REPAIR)}) == (0, {"hazards"})


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"fault": "partitions", "choices": None}, "alarms has another number of partitions"),
        ({"log": None, "unknown": "Kafka does not answer"}, "hazards does not know now what the log of alarms holds"),
    ],
)
def test_where_no_choice_can_be_made_it_says_why(doors: Doors, repair, more: dict, sentence: str):
    doors.say("hazards", PATH, listing(STOPPED | more))

    ran = repair("--from", "beginning", "--yes")

    assert ran.code == 1
    assert sentence in ran.err
    assert doors.to(REPAIR) == []


def test_what_services_had_sent_is_said_again_until_nothing_is_left(doors: Doors, repair):
    path, until = "/v1/outbox/say-again", "2026-11-25T09:00:00Z"
    doors.say("hazards", path, *(Says({"marked": count, "until": until}) for count in (5000, 120, 0)))

    ran = repair("--service", "hazards", "--topic", "cases", "--resend", "2026-11-25T08:00:00Z")

    asked = {"topic": "cases", "since": "2026-11-25T08:00:00Z"}
    assert ran.out.endswith("hazards says 5120 events of cases again\n")
    assert [heard.json for heard in doors.to(path)] == [asked, asked | {"until": until}, asked | {"until": until}]


def test_the_list_of_dead_letters_names_the_way_on_that_helps(cli_home: Path, doors: Doors, fengsui):
    for service in ("ingest", "hazards", "notify", "reporting"):
        for path in ("/v1/dead-letters", "/v1/partitions/stopped"):
            doors.say(service, path, listing())
    row = {"topic": "alarms", "partition": 3, "next": 41, "stopped": "records are missing", "fault": "hole"}
    doors.say("hazards", "/v1/partitions/stopped", listing(row))

    ran = fengsui("dead", "list", "--home", cli_home)

    assert ran.out.endswith("(`fengsui offsets repair --service hazards --topic alarms`)\n")


@pytest.mark.kafka
async def test_a_real_service_goes_on_where_the_command_says(stack: Stack, fengsui):
    here = ("--url", f"http://127.0.0.1:{stack.base}", "--token", mint(stack.home, "test", "admin", "220000"))
    key, name = await stack.register(uscc(921), ["T-1"]), "offsets-after"
    stack.kill("hazards")
    await stack.sql("UPDATE hazards.positions SET cluster = 'another' WHERE topic = 'reports'")
    await stack.push(hazard(name), key=key)
    stack.start("hazards")
    listed = await until(
        lambda: asyncio.to_thread(fengsui, "offsets", "repair", "--topic", "reports", *here),
        lambda ran: ran.out.count("another cluster") == 12,
        timeout=60,
    )

    done = fengsui("offsets", "repair", "--topic", "reports", "--from", "beginning", "--yes", *here)
    await stack.ready("hazards")
    well = fengsui("offsets", "repair", *here)

    query = "SELECT count(*) FROM hazards.timeline WHERE pushid = $1"
    assert listed.code == 1
    assert (done.code, done.out.count("hazards goes on with reports/")) == (0, 12)
    assert (well.code, well.out) == (0, "no partition is stopped\n")
    await until(lambda: stack.sql(query, name), lambda rows: rows[0]["count"] == 1)
