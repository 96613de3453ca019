"""A form of a case becomes the body that the ledger takes."""

from services.console.domain.steps import body_of


def test_a_local_deadline_is_read_in_beijing_time():
    body = body_of("start", {"responsible": " 王五 ", "due_at": "2027-01-01T08:00", "measures": "", "version": "3"})

    assert body == {"responsible": "王五", "due_at": "2027-01-01T08:00:00+08:00"}


def test_what_is_no_time_is_left_for_the_ledger_to_refuse():
    assert body_of("start", {"responsible": "王五", "due_at": "soon"}) == {"responsible": "王五", "due_at": "soon"}


def test_evidence_is_named_by_hash_and_address():
    one, two = "a" * 64, "b" * 64

    body = body_of("submit", {"evidence": f"{one} http://x/1\n\n{two} http://x/2\nnonsense\n", "text": "好"})

    assert body == {
        "evidence": [{"url": "http://x/1", "sha256": one}, {"url": "http://x/2", "sha256": two}],
        "text": "好",
    }


def test_nothing_typed_is_nothing_said():
    assert body_of("accept", {"text": "  "}) == {}
    assert body_of("comment", {}) == {}


def test_there_is_no_body_for_an_action_that_there_is_not():
    assert body_of("reopen", {}) is None
