"""hazards over HTTP: the board, the ledger, and the way of a case to its write-off."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse

from services.hazards import export, store
from services.hazards.description import AFTER_A_STEP, IF_MATCH, Board, Cases, Counts, Enterprises, ShownCase
from services.hazards.domain.case import Case
from services.hazards.domain.commands import (
    Accept,
    Command,
    Comment,
    Confirm,
    Forbidden,
    InThePast,
    Missing,
    Return,
    SamePerson,
    Start,
    Submit,
    Void,
    allowed,
    blocked,
    obey,
)
from services.hazards.metrics import CASES as CASE_STEPS
from services.hazards.shapes import alarm_json, case_json, counts_json, step_json
from shared import audit, recovery
from shared.access import Reader, Staff, staff_to
from shared.codes import prefix_of
from shared.description import body as described
from shared.description import inlined
from shared.moments import WrittenMoment
from shared.paging import Cursor, Limit, capped, page, place_of
from shared.problems import Problem, pointer
from shared.sight import sight
from shared.tables import read_body
from shared.vocabulary import AlarmState, CaseState, Grade, Industry, Level

router = APIRouter(prefix="/v1", tags=["hazards"])
TIMELINE_ROWS = 200
Text = Annotated[str, Field(min_length=1, max_length=64 * 1024, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
Asked = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


class Order(StrEnum):
    """What stands on top of the board."""

    NEWEST = "newest"
    GRAVEST = "gravest"


_NEWEST = ("raised_at", "enterprise", "point")
_ORDERS = {
    Order.NEWEST: (store.LIST_ALARMS, _NEWEST, [None] * 3),
    Order.GRAVEST: (store.LIST_GRAVEST, ("urgency", *_NEWEST), [None] * 4),
}


class Body(BaseModel):
    """A command's body; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class ConfirmBody(Body):
    """核实."""

    grade: Grade

    def command(self) -> Command:
        return Confirm(self.grade)


class StartBody(Body):
    """开始整改; for a major hazard all five of 五落实."""

    responsible: Text
    due_at: WrittenMoment
    measures: Text | None = None
    money: Text | None = None
    plan: Text | None = None

    def command(self) -> Command:
        return Start(self.responsible, self.due_at, self.measures, self.money, self.plan)


class Evidence(Body):
    """A file by URL and hash."""

    url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\x00-\x20]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SubmitBody(Body):
    """提交整改."""

    evidence: Annotated[list[Evidence], Field(min_length=1, max_length=50)]
    text: Text | None = None

    def command(self) -> Command:
        return Submit(tuple(each.model_dump() for each in self.evidence), self.text)


class ReasonBody(Body):
    """退回 or 作废."""

    reason: Text


class ReturnBody(ReasonBody):
    """退回."""

    def command(self) -> Command:
        return Return(self.reason)


class VoidBody(ReasonBody):
    """作废."""

    def command(self) -> Command:
        return Void(self.reason)


class AcceptBody(Body):
    """验收销号."""

    text: Text | None = None

    def command(self) -> Command:
        return Accept(self.text)


class CommentBody(Body):
    """备注."""

    text: Text

    def command(self) -> Command:
        return Comment(self.text)


BODIES: dict[str, type[Body]] = {
    "confirm": ConfirmBody,
    "start": StartBody,
    "submit": SubmitBody,
    "return": ReturnBody,
    "accept": AcceptBody,
    "void": VoidBody,
    "comment": CommentBody,
}


@router.get("/alarms", responses={200: {"model": Board}})
async def list_alarms(
    request: Request,
    staff: Reader,
    state: Annotated[list[AlarmState] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    industry: Annotated[list[Industry] | None, Query()] = None,
    enterprise: Asked = None,
    text: Asked = None,
    since: WrittenMoment | None = None,
    acknowledged: bool | None = None,
    order: Order = Order.NEWEST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """What is in alarm now or was, by point."""
    limit = capped(limit)
    filters = _filters(staff, state, level, region, industry, enterprise, text, since, acknowledged, order)
    statement, key, empty = _ORDERS[order]
    after = place_of(cursor, filters, len(key))
    async with sight(request, staff) as db:
        rows = await db.fetch(
            statement,
            staff.prefix,
            staff.enterprise,
            state,
            level,
            _prefix(region),
            industry,
            enterprise,
            text,
            since,
            acknowledged,
            *(_alarm_place(after) if after else empty),
            limit + 1,
        )
    kept, following = page(rows, limit, key, filters)
    return _json({"items": [alarm_json(row) for row in kept], "next": following})


def _alarm_place(values: list[str]) -> tuple[Any, ...]:
    *urgency, raised_at, enterprise, point = values
    return *map(int, urgency), datetime.fromisoformat(raised_at), enterprise, point


@router.get("/board", responses={200: {"model": Counts}})
async def count_board(request: Request, staff: Reader) -> JSONResponse:
    """How much is open in sight: points by their gravest level, those nobody answered, and cases."""
    async with sight(request, staff) as db:
        alarms = await db.fetch(store.BOARD_ALARMS, staff.prefix, staff.enterprise)
        cases = await db.fetch(store.BOARD_CASES, staff.prefix, staff.enterprise)
        now = await store.now(db)
    return _json(counts_json(alarms, cases, now))


@router.get("/board/enterprises", responses={200: {"model": Enterprises}})
async def list_concerned(request: Request, staff: Reader) -> JSONResponse:
    """Every enterprise in sight that has an alarm or a case open, gravest first, in one page."""
    async with sight(request, staff) as db:
        rows = await db.fetch(store.BOARD_ENTERPRISES, staff.prefix, staff.enterprise)
        now = await store.now(db)
    return _json({"items": [dict(row) for row in rows], "next": None, "as_of": now})


@router.get("/cases", responses={200: {"model": Cases}})
async def list_cases(
    request: Request,
    staff: Reader,
    state: Annotated[list[CaseState] | None, Query()] = None,
    grade: Annotated[list[Grade] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    region: Annotated[str | None, Query(pattern="^[0-9]{6}$")] = None,
    industry: Annotated[list[Industry] | None, Query()] = None,
    enterprise: Asked = None,
    overdue: bool | None = None,
    text: Asked = None,
    since: WrittenMoment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JSONResponse:
    """A page of the ledger, newest first."""
    limit = capped(limit)
    filters = _filters(staff, state, grade, level, region, industry, enterprise, overdue, text, since)
    after = place_of(cursor, filters, 2)
    async with sight(request, staff) as db:
        rows = await db.fetch(
            store.LIST_CASES,
            staff.prefix,
            staff.enterprise,
            state,
            grade,
            level,
            _prefix(region),
            industry,
            enterprise,
            overdue,
            text,
            since,
            *((datetime.fromisoformat(after[0]), UUID(after[1])) if after else (None, None)),
            limit + 1,
        )
        now = await store.now(db)
    kept, following = page(rows, limit, ("opened_at", "id"), filters)
    return _json({"items": [case_json(store.case_of(row), now) for row in kept], "next": following})


@router.get("/cases/export")
async def export_cases(
    request: Request,
    staff: Reader,
    format: Annotated[str, Query(pattern="^(jsonl|csv|xlsx)$")] = "jsonl",
) -> StreamingResponse:
    """The whole ledger in sight, timelines included, streamed."""
    body: AsyncIterator[bytes] = export.stream(request.app.state.service.ask, staff, format)
    return StreamingResponse(
        body,
        media_type=export.MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="cases.{format}"'},
    )


@router.get("/cases/{case}", responses={200: {"model": ShownCase}})
async def show_case(
    request: Request, case: UUID, staff: Reader, timeline_before: Annotated[int | None, Query(ge=1)] = None
) -> JSONResponse:
    """One case with the newest rows of its timeline."""
    async with sight(request, staff) as db:
        found = in_sight(await store.case_by_id(db, case), staff)
        return await _answer(db, found, staff, timeline_before)


_BODY = described({"application/json": {"anyOf": [inlined(each) for each in BODIES.values()]}})
Action = Annotated[str, Path(json_schema_extra={"enum": list(BODIES)})]
CaseStaff = Annotated[Staff, Depends(staff_to(BODIES))]


@router.post("/cases/{case}/{action}", responses=AFTER_A_STEP, openapi_extra=_BODY | IF_MATCH)
async def act(request: Request, case: UUID, action: Action, staff: CaseStaff) -> JSONResponse:
    """One step of a case by a person; the version it was seen at comes as If-Match."""
    body = BODIES.get(action)
    if body is None:
        raise Problem(404, "not_found", f"no such action; there are {', '.join(BODIES)}")
    try:
        asked = body.model_validate_json(await read_body(request) or b"{}")
        command = asked.command()  # type: ignore[attr-defined]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Problem(422, "invalid", first["msg"], pointer=pointer(first["loc"])) from error
    async with sight(request, staff) as db:
        known = in_sight(await store.case_for_command(db, case), staff)
        if not staff.may(action):
            raise Problem(403, "forbidden", f"the role {staff.role} may not {action}")
        await recovery.refuse(db)
        _matches(request, known)
        changed, step = _obey(known, command, staff, await store.now(db), await store.periods(db))
        await store.keep_step(db, changed, step)
        answer = await _answer(db, changed, staff)
        told = asked.model_dump(exclude_none=True) | {"version": changed.version}
        where = {"region": changed.region, "enterprise": changed.enterprise}
        await audit.record(db, staff, action, f"case/{case}", **where, **told)
    request.app.state.service.wake()
    CASE_STEPS.labels(step.kind.value).inc()
    return answer


def in_sight(case: Case | None, staff: Staff) -> Case:
    """The case, or a 404 that does not tell whether there is one."""
    if case is None or not staff.sees(case.region, case.enterprise):
        raise Problem(404, "not_found", "no such case")
    return case


def _obey(known: Case, command: Command, staff: Staff, now: datetime, periods: Any) -> Any:
    try:
        return obey(known, command, staff.name, now, periods)
    except Forbidden as error:
        raise Problem(
            409, "forbidden_step", f"a {known.state} case does not allow {error}", allowed=list(allowed(known))
        ) from error
    except SamePerson as error:
        raise Problem(403, "same_person", "whoever submitted may not accept") from error
    except Missing as error:
        raise Problem(
            422,
            "five_required",
            "a major hazard starts with responsible, measures, money, due_at and plan (五落实)",
            pointer=f"/{error.fields[0]}",
            pointers=[f"/{name}" for name in error.fields],
        ) from error
    except InThePast as error:
        raise Problem(422, "due_in_past", "the deadline must lie ahead", pointer="/due_at") from error


def _matches(request: Request, case: Case) -> None:
    given = request.headers.get("if-match")
    if given is None:
        raise Problem(428, "version_required", 'If-Match must name the version, such as "3"', version=case.version)
    text = given.strip()
    if not (len(text) > 2 and text[0] == text[-1] == '"' and text[1:-1].isascii() and text[1:-1].isdigit()):
        raise Problem(400, "bad_version", 'If-Match must be one strong version, such as "3"')
    if text[1:-1] != str(case.version):
        raise Problem(412, "version_lost", f"the case is at version {case.version} now", version=case.version)


async def _answer(db: Any, case: Case, staff: Staff, before: int | None = None) -> JSONResponse:
    rows = await db.fetch(store.TIMELINE_PAGE, case.id, before, TIMELINE_ROWS + 1)
    shown = case_json(case, await store.now(db))
    shown["blocked"] = blocked(case, staff.name, {action for action in BODIES if staff.may(action)})
    shown["timeline"] = [step_json(row) for row in reversed(rows[:TIMELINE_ROWS])]
    shown["timeline_next"] = rows[TIMELINE_ROWS - 1]["version"] if len(rows) > TIMELINE_ROWS else None
    return _json(shown, headers={"ETag": f'"{case.version}"'})


def _filters(staff: Staff, *given: Any) -> dict[str, Any]:
    return {"staff": [staff.prefix, staff.enterprise], "given": [str(each) for each in given]}


def _prefix(region: str | None) -> str | None:
    return prefix_of(region) if region else None


class _Json(JSONResponse):
    """JSON with moments in RFC 3339."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, default=str)


def _json(content: Any, headers: dict[str, str] | None = None) -> JSONResponse:
    return _Json(content, headers=headers)


def add(app: FastAPI) -> None:
    """Puts the routes on the service's application."""
    app.include_router(router)
