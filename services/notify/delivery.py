"""Messages go out: claimed, committed as sending, called, and settled in batches; a crash between may repeat one."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from services.notify import metrics
from services.notify.channels.webhook import Webhook
from services.notify.domain.call import Call, Step
from services.notify.domain.course import settled
from services.notify.domain.notification import DeliveryState, Outcome, Result
from services.notify.sealing import Seal, Unreadable
from services.notify.store import calls as store
from services.notify.store.deliveries import Claim, add_attempts, claim, put_off
from services.notify.telling import keep
from shared import faults, telemetry, tracing
from shared.apart import apart
from shared.database import Connection, Kind, Line, kind_of
from shared.errors import told
from shared.settings import Settings

SLOTS = 128
SHARE = 64  # of one contact: a receiver that hangs leaves room for the others
POLL_S = 0.1
LINGER_S = 0.005  # while calls are under way, so that many answers are settled at once
LATE_S = 60.0  # a pass waits for no receiver; a transaction is cut after thirty seconds
DRAIN_S = 6.0  # longer than a call may take
KEEP_S = 5.0  # also where each of many answers must be tried by itself

Answer = tuple[Claim, Outcome]
Settled = tuple[list[Answer], list[tuple[Call, Step]]]
"""The answers that were kept, and the steps that their calls took by them."""


class Sender:
    """Sends what is due with a bounded number of calls at once; any number of replicas may."""

    def __init__(self, settings: Settings, said: Callable[[], None]) -> None:
        self._settings, self._said = settings, said
        self._line = Line(settings.postgres_work, "notify.sender")
        self._seal = Seal(settings.home)
        self._woken = asyncio.Event()
        self._passed_at, self._fault = time.monotonic(), ""
        self._careful = False
        """Whether a turn failed by something's own fault: the next finds which answer it was, and claims nothing."""
        self._calls: set[asyncio.Task[None]] = set()
        self._answers: list[Answer] = []
        self._under_way: Counter[str] = Counter()
        self._slow: set[str] = set()
        """Contacts whose last call failed: one message at a time, so that they do not hold up the others."""

    def reason(self) -> str | None:
        """Why nothing is sent now."""
        silent = time.monotonic() - self._passed_at
        return f"sender: no pass for {silent:.0f} s {self._fault}".rstrip() if silent > LATE_S else None

    def wake(self) -> None:
        """A commit of this process may have left something to send."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; then what is under way is settled, so that a restart repeats nothing."""
        channel = Webhook(self._settings.webhook_allow, SLOTS)
        try:
            while True:
                try:
                    await self._turn(channel)
                    self._passed_at, self._fault, self._careful = time.monotonic(), "", False
                except Exception as error:
                    self._fault = told(error)
                    telemetry.log.warning("sender_failed", error=type(error).__name__, detail=str(error)[:300])
                    self._careful = self._careful or kind_of(error) is Kind.DATA
                    await asyncio.sleep(0.5)
                await self._wait()
        except asyncio.CancelledError:
            await self._drain()
            raise
        finally:
            await channel.close()
            await self._line.close()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            pass
        if self._calls:
            await asyncio.sleep(LINGER_S)
        self._woken.clear()

    async def _turn(self, channel: Webhook) -> None:
        """What was answered is settled and what is due is claimed, in one transaction; then the calls begin."""
        answers, free = list(self._answers), 0 if self._careful else SLOTS - len(self._calls)
        async with self._line.transaction() as db:
            kept, steps = await (settle_apart if self._careful else settle)(db, channel.name, answers)
            busy = [name for name, calls in self._under_way.items() if calls >= (1 if name in self._slow else SHARE)]
            claims = await claim(db, free, SHARE, busy, self._slow) if free else []
        del self._answers[: len(answers)]
        metrics.count_attempts(channel.name, [outcome for _, outcome in kept], sum(c.lost for c in claims))
        if steps:
            self._said()
        for each in claims:
            faults.point("attempt.before_call")
            self._begin(channel, each)

    def _begin(self, channel: Webhook, claimed: Claim) -> None:
        self._under_way[claimed.contact] += 1
        task = asyncio.create_task(self._call(channel, claimed))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(self, channel: Webhook, claimed: Claim) -> None:
        try:
            with tracing.follow("attempt", "client", claimed.traceparent, _names(channel, claimed)) as span:
                outcome = await self._attempt(channel, claimed, span.traceparent)
                span.note({"fengsui.outcome": outcome.result.value})
            faults.point("attempt.after_answer")
            self._answers.append((claimed, outcome))
            (self._slow.add if outcome.result is Result.RETRY else self._slow.discard)(claimed.contact)
        finally:
            self._under_way[claimed.contact] -= 1
            if not self._under_way[claimed.contact]:
                del self._under_way[claimed.contact]
            self._woken.set()

    async def _attempt(self, channel: Webhook, claimed: Claim, traceparent: str | None) -> Outcome:
        if claimed.told:
            return Outcome(Result.DELIVERED, "it had arrived before the database was restored")
        if claimed.webhook is None:
            return Outcome(Result.FAILED, "the contact has no webhook any more")
        try:
            sealed = [each for each in (claimed.secret, claimed.earlier_secret) if each is not None]
            secrets = [self._seal.open(each, claimed.contact) for each in sealed]
            return await channel.deliver(claimed.webhook, secrets, str(claimed.id), claimed.body, traceparent)
        except Unreadable as error:
            telemetry.log.error("secret_unreadable", contact=claimed.contact, detail=str(error))
            return Outcome(Result.RETRY, str(error))
        except Exception as error:
            telemetry.log.exception("attempt_failed", contact=claimed.contact, error=type(error).__name__)
            return Outcome(Result.RETRY, type(error).__name__)

    async def _drain(self) -> None:
        """Waits for the calls under way and keeps their answers."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=DRAIN_S)
        try:
            async with asyncio.timeout(KEEP_S), self._line.transaction() as db:
                await settle_apart(db, Webhook.name, list(self._answers))
        except Exception as error:
            telemetry.log.warning("sender_not_drained", error=type(error).__name__, answers=len(self._answers))


async def settle(db: Connection, channel: str, answers: Sequence[Answer]) -> Settled:
    """Keeps what channels answered; an answer whose lease went to another process counts no more."""
    if not answers:
        return [], []
    now = await store.now(db)
    known = await store.calls_held(db, (claimed.call for claimed, _ in answers))
    calls, steps, kept = dict(known), [], []
    for claimed, outcome in answers:
        call = calls[claimed.call]
        if not _is_ours(call, claimed):
            continue
        call, taken = settled(call, claimed.id, outcome, now)
        calls[call.id] = call
        steps += [(call, step) for step in taken]
        kept.append((claimed, outcome))
    await add_attempts(db, channel, kept)
    await keep(db, known, list(calls.values()), steps, now)
    return kept, steps


async def settle_apart(db: Connection, channel: str, answers: Sequence[Answer]) -> Settled:
    """As `settle`, but an answer that cannot be kept holds up no other person's message.

    Such a one is let go: nobody knows how its attempt ended, so it is sent again, marked, after a longer pause each
    time. Calls are held in the order in which everybody holds them."""

    async def deal(db: Connection, some: Sequence[Answer]) -> Settled:
        return await settle(db, channel, some)

    parts, failed = await apart(db, sorted(answers, key=lambda answer: answer[0].call), deal)
    for (claimed, _), error in failed:
        metrics.ANSWERS_NOT_KEPT.labels(channel).inc()
        which = {"delivery": str(claimed.id), "call": str(claimed.call)}
        telemetry.log.error("answer_not_kept", **which, error=told(error), exc_info=error)
        with suppress(Exception):  # else its lease of thirty seconds ends, as after a crash
            async with db.transaction():
                await put_off(db, claimed)
    return [each for kept, _ in parts for each in kept], [each for _, steps in parts for each in steps]


def _names(channel: Webhook, claimed: Claim) -> tracing.Attributes:
    return {
        "fengsui.channel": channel.name,
        "fengsui.message": claimed.message,
        "fengsui.delivery": claimed.id,
        "fengsui.notification": claimed.notification,
        "fengsui.call": claimed.call,
        "fengsui.try": claimed.tries,
    }


def _is_ours(call: Call, claimed: Claim) -> bool:
    return any(
        each.id == claimed.id and each.state is DeliveryState.SENDING and each.tries == claimed.tries
        for known in call.notifications
        for each in known.deliveries
    )
