"""Of every pushed event it is known at each stage whether it was seen, held with a reason, lost or doubled."""

import pytest

from deploy.reconciliation import Outcome, Pushed, Report, Verdict, judge

SEEN = {"verdicts": 1, "held": [], "dead": 0}
NOTHING = {"verdicts": 0, "held": [], "dead": 0}
DEAD = {"verdicts": 0, "held": [], "dead": 1}


def way(hazards=None, notify=None, reporting=None, **ingest) -> dict:
    """An event that reached everything once, but for what is said."""
    return {
        "hazards": SEEN | {"effects": 1, "doubled": 0} | (hazards or {}),
        "notify": SEEN | {"effects": 1, "doubled": 0} | (notify or {}),
        "reporting": SEEN | {"doubled": 0} | (reporting or {}),
        **ingest,
    }


def test_an_event_that_touched_a_case_is_seen_by_all():
    assert judge(way()) == [Verdict(stage, Outcome.SEEN) for stage in ("hazards", "notify", "reporting")]


@pytest.mark.parametrize("reason", ["no_case_by_policy", "stale"])
def test_an_event_that_hazards_holds_tells_nobody(reason: str):
    answers = way(hazards={"effects": 0, "held": [reason]}, notify=NOTHING)

    assert judge(answers) == [Verdict("hazards", Outcome.HELD, reason), Verdict("reporting", Outcome.SEEN)]


def test_answers_that_hazards_hears_of_an_event_are_not_its_doubles():
    answers = way(hazards={"verdicts": 4})

    assert judge(answers)[0] == Verdict("hazards", Outcome.SEEN)


def test_an_event_that_notify_holds_has_a_reason():
    assert judge(way(notify={"held": ["already_told"]}))[1] == Verdict("notify", Outcome.HELD, "already_told")


@pytest.mark.parametrize("stage", ["hazards", "notify", "reporting"])
def test_what_a_stage_knows_nothing_of_is_missing_there(stage: str):
    verdicts = judge(way(**{stage: NOTHING | {"effects": 0}}))

    assert [v for v in verdicts if v.outcome is not Outcome.SEEN] == [Verdict(stage, Outcome.MISSING)]


def test_an_event_that_was_taken_in_without_effect_or_reason_is_missing():
    assert judge(way(hazards={"effects": 0}))[0] == Verdict("hazards", Outcome.MISSING)


@pytest.mark.parametrize("stage", ["hazards", "notify", "reporting"])
def test_a_dead_letter_is_held_and_not_missing(stage: str):
    verdicts = judge(way(**{stage: DEAD | {"effects": 0}}))

    assert Verdict(stage, Outcome.HELD, "dead_letter") in verdicts


@pytest.mark.parametrize("stage", ["hazards", "notify", "reporting"])
def test_an_effect_that_is_one_too_many_is_a_double(stage: str):
    answer = {"verdicts": 2, "effects": 2, "doubled": 1}

    assert [v for v in judge(way(**{stage: answer})) if v.outcome is not Outcome.SEEN] == [
        Verdict(stage, Outcome.DOUBLED)
    ]


def test_two_enterprises_that_use_the_same_names_are_not_each_other_s_doubles():
    both = {"verdicts": 2, "effects": 2, "doubled": 0}

    assert all(verdict.outcome is Outcome.SEEN for verdict in judge(way(hazards=both, notify=both, reporting=both)))


def test_a_heartbeat_ends_at_ingest():
    nowhere = NOTHING | {"effects": 0}

    assert judge(way(nowhere, nowhere, nowhere, ingest=SEEN)) == [Verdict("ingest", Outcome.HELD, "heartbeat")]
    assert judge(way(nowhere, nowhere, nowhere, ingest=NOTHING))[0] == Verdict("hazards", Outcome.MISSING)


def test_a_report_counts_by_stage_and_names_the_first_that_are_wrong():
    report = Report()
    for line in (*range(15, 30), *range(15)):
        report.add(Pushed(line, "s", str(line)), judge(way(notify=NOTHING)))
    report.add(Pushed(30, "s", "held"), judge(way(hazards={"effects": 0, "held": ["stale"]})))

    said = report.json()
    assert (report.clean, report.events) == (False, 31)
    assert report.stages["hazards"].seen == 30
    assert report.stages["hazards"].held == {"stale": 1}
    assert report.stages["notify"].missing == 30
    assert said["missing"][0] == {"line": 0, "source": "s", "id": "0", "stage": "notify"}
    assert (len(said["missing"]), said["doubled"]) == (20, [])
