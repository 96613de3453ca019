"""Evidence goes in with whoever sees and rectifies a case, and out as an attachment to whoever sees it."""

import hashlib
from uuid import UUID

import httpx
import pytest

from services.console import store
from services.console.domain.evidence import Evidence, evidence_id
from shared.access import Staff
from shared.sight import seeing
from shared.vocabulary import Role
from tests.console.replica import Replica
from tests.console.test_evidence_rules import JPEG, PDF, archive
from tests.stack import Stack, hazard, until, uscc

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

OWN, OTHER = uscc(8101), uscc(8102)


@pytest.fixture(scope="module")
async def case(stack: Stack, desk: Replica) -> str:
    """A case of OWN in county 220203, and accounts of both enterprises, two counties and the province."""
    key = await stack.register(OWN, ["T-1"])
    await stack.register(OTHER, ["T-1"])
    await stack.push(hazard("evidence-1"), key=key)
    page = await until(lambda: stack.get("hazards", f"/v1/cases?enterprise={OWN}"), lambda page: page["items"], 30)
    await desk.account("ev.own", "enterprise", None, OWN)
    await desk.account("ev.other", "enterprise", None, OTHER)
    await desk.account("ev.county", "officer", "220203")
    await desk.account("ev.neighbour", "officer", "220202")
    await desk.account("ev.viewer", "viewer", "220000")
    return str(page["items"][0]["id"])


async def upload(browser: httpx.AsyncClient, case: str, name: str, content: bytes) -> httpx.Response:
    files = {"file": (name, content, "text/html")}
    return await browser.post(f"/cases/{case}/evidence", files=files, headers={"Accept": "application/json"})


async def test_a_file_comes_back_as_it_was_given_to_whoever_sees_the_case(desk: Replica, case: str):
    content, own = JPEG + b"1", await desk.inside("ev.own")

    given = await upload(own, case, "现场 1.jpg", content)
    said = given.json()
    path = said["url"].removeprefix("http://console.test")
    seen = {who: await (await desk.inside(who)).get(path) for who in ("ev.own", "ev.county", "ev.viewer")}

    assert given.status_code == 201
    assert said["sha256"] == hashlib.sha256(content).hexdigest()
    assert {answer.status_code for answer in seen.values()} == {200}
    answer = seen["ev.county"]
    assert answer.content == content
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=utf-8''%E7%8E%B0")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    place = desk.postgres.home / "evidence" / said["sha256"][:2] / said["sha256"]
    assert place.read_bytes() == content
    assert place.stat().st_mode & 0o777 == 0o600


async def test_for_whoever_does_not_see_the_case_there_is_no_file(desk: Replica, case: str):
    given = await upload(await desk.inside("ev.own"), case, "a.jpg", JPEG + b"2")
    path = given.json()["url"].removeprefix("http://console.test")

    answers = [await (await desk.inside(who)).get(path) for who in ("ev.other", "ev.neighbour")]
    nothing = await (await desk.inside("ev.other")).get(f"/evidence/{UUID(int=1)}")
    stranger = await desk.browser().get(path)

    assert [answer.status_code for answer in answers] == [404, 404]
    assert nothing.status_code == 404
    assert stranger.status_code == 303


@pytest.mark.parametrize(("who", "status"), [("ev.other", 404), ("ev.county", 403), ("ev.viewer", 403)])
async def test_only_the_enterprise_of_the_case_gives_evidence(desk: Replica, case: str, who: str, status: int):
    answer = await upload(await desk.inside(who), case, "a.jpg", JPEG + b"3")

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("../../etc/passwd.jpg", JPEG, 422, "bad_name"),
        ("..\\..\\x.jpg", JPEG, 422, "bad_name"),
        ("a\u202egpj.jpg", JPEG, 422, "bad_name"),
        ("字" * 84 + ".jpg", JPEG, 422, "bad_name"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_type"),
        ("a.html", b"<!doctype html>", 415, "unsupported_type"),
        ("a.jpg", JPEG + archive("a.class"), 415, "unsupported_type"),
        ("a.html", JPEG, 415, "unsupported_type"),
        ("a.jpg", b"", 422, "empty"),
        ("a.pdf", PDF + bytes(20 * 1024 * 1024), 413, "too_large"),
        ("a.pdf", PDF + bytes(21 * 1024 * 1024), 413, "too_large"),
    ],
)
async def test_what_is_not_taken_is_refused_with_the_reason(desk: Replica, case: str, name, content, status, code):
    answer = await upload(await desk.inside("ev.own"), case, name, content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "status"), [("/cases/x/evidence", 422), (f"/cases/{UUID(int=1)}/evidence", 404), ("/evidence/x", 422)]
)
async def test_a_case_or_file_that_is_none_is_refused(desk: Replica, case: str, path: str, status: int):
    browser = await desk.inside("ev.own")
    headers = {"Accept": "application/json"}

    answer = (
        await browser.post(path, files={"file": ("a.jpg", JPEG)}, headers=headers)
        if path.startswith("/cases")
        else await browser.get(path, headers=headers)
    )

    assert answer.status_code == status


async def test_a_form_without_a_file_is_refused(desk: Replica, case: str):
    browser = await desk.inside("ev.own")
    headers = {"Accept": "application/json"}

    none = await browser.post(f"/cases/{case}/evidence", data={"file": "text"}, headers=headers)
    two = await browser.post(
        f"/cases/{case}/evidence", files=[("file", ("a.jpg", JPEG)), ("file", ("b.jpg", JPEG))], headers=headers
    )

    assert (none.status_code, two.status_code) == (415, 400)


async def test_the_same_file_again_is_the_same_evidence(desk: Replica, case: str):
    own = await desk.inside("ev.own")

    first, again = [await upload(own, case, name, JPEG + b"4") for name in ("first.jpg", "again.jpg")]

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    rows = await desk.sql("SELECT body FROM audit WHERE action = 'evidence_uploaded'")
    assert sum(first.json()["id"] in row["body"] for row in rows) == 1


async def test_a_case_takes_so_many_files_and_no_more(desk: Replica, case: str):
    await desk.sql(
        "INSERT INTO evidence SELECT gen_random_uuid(), $1, '220203', $2, 'a.jpg', 'image/jpeg', "
        "sha256('a'), 1, 'test', now() FROM generate_series(1, 100)",
        UUID(case),
        OWN,
    )
    try:
        answer = await upload(await desk.inside("ev.own"), case, "a.jpg", JPEG + b"5")
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_files")
    finally:
        await desk.sql("DELETE FROM evidence WHERE by = 'test'")


async def test_the_evidence_that_was_kept_can_be_submitted(desk: Replica, stack: Stack, case: str):
    given = (await upload(await desk.inside("ev.own"), case, "a.jpg", JPEG + b"6")).json()
    found = await stack.get("hazards", f"/v1/cases/{case}")
    path = f"/v1/cases/{case}"

    _, confirmed = await stack.send("hazards", f"{path}/confirm", {"grade": "general"}, found["version"])
    started = {"responsible": "王伟", "due_at": "2099-01-01T00:00:00+08:00"}
    _, rectifying = await stack.send("hazards", f"{path}/start", started, confirmed["version"])
    evidence = {"evidence": [{"url": given["url"], "sha256": given["sha256"]}]}
    status, rectified = await stack.send("hazards", f"{path}/submit", evidence, rectifying["version"])

    assert (status, rectified["state"]) == (200, "rectified")


async def test_the_database_itself_bounds_what_is_seen_and_written(desk: Replica, case: str):
    own = Staff("ev.own", Role.ENTERPRISE, "220000", OWN)
    others = [
        Staff("ev.other", Role.ENTERPRISE, "220000", OTHER),
        Staff("ev.neighbour", Role.OFFICER, "220202"),
    ]
    digest = hashlib.sha256(b"x").digest()
    foreign = Evidence(
        evidence_id(UUID(int=7), digest), UUID(int=7), "220203", OTHER, "a.jpg", "image/jpeg", digest, 1, "ev.own"
    )
    await upload(await desk.inside("ev.own"), case, "a.jpg", JPEG + b"7")

    async with seeing(desk.service.ask, own) as db:
        mine = await db.fetchval("SELECT count(*) FROM evidence WHERE enterprise = $1", OWN)
    seen = []
    for other in others:
        async with seeing(desk.service.ask, other) as db:
            seen.append(await db.fetchval("SELECT count(*) FROM evidence WHERE enterprise = $1", OWN))

    assert mine > 0
    assert seen == [0, 0]
    with pytest.raises(Exception, match="row-level security"):
        async with seeing(desk.service.ask, own) as db:
            await store.keep(db, foreign)
