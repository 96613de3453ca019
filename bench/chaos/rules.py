"""The rules of the delivery contract, each with the edit that removes it: the ledger must find what follows."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.chaos.platform import ROOT

COPIED: Final = ("services", "shared")


class Moved(Exception):
    """The code no longer has the text that an edit replaces: the edit must be made anew."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In one file one text, found there exactly once, gives way to another."""

    file: str
    old: str
    new: str

    def apply(self, tree: Path) -> None:
        """Changes the file in the tree; raises Moved."""
        path = tree / self.file
        text = path.read_text("utf-8")
        if (times := text.count(self.old)) != 1:
            raise Moved(f"{self.file} has {self.old!r} {times} times instead of once")
        path.write_text(text.replace(self.old, self.new), "utf-8")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, the edits that remove it, the faults at its seam, and where the ledger shows that it is gone."""

    name: str
    sentence: str
    edits: tuple[Edit, ...]
    finds: tuple[str, ...]
    """Checks (`stage column what`) of which at least one finds something."""
    faults: tuple[str, ...] = ("none",)
    aim: str = ""
    points: str = ""
    """Fault points of the service aimed at, as FENGSUI_FAULTS writes them."""
    replicas: int = 1
    longest_s: float = 10.0


RULES: Final = (
    Rule(
        "answer_after_ack",
        "The door says accepted only after the broker's acknowledgement.",
        (
            Edit(
                "services/ingest/doors/http.py",
                "    outcomes = await door.producer.send(records)\n",
                "    sending = __import__('asyncio').create_task(door.producer.send(records))\n"
                "    sending.add_done_callback(lambda done: done.cancelled() or done.exception())\n"
                "    outcomes: list[Exception | None] = []\n",
            ),
        ),
        ("bus missing pushed",),
        ("stop_broker", "broker"),
        longest_s=10.0,
    ),
    Rule(
        "one_transaction",
        "A batch's position moves in the transaction of its effects.",
        (
            Edit(
                "shared/consumer.py",
                "            await self._move(db, runs)\n            new = ",
                "            await self._move(db, runs)\n"
                "        async with self._line.transaction() as db:\n            new = ",
            ),
        ),
        ("hazards missing verdict", "notify missing verdict", "reporting missing verdict"),
        aim="hazards",
        points="consumer.in_transaction=kill%0.1",
    ),
    Rule(
        "taken_once",
        "An event that is known is not handled again.",
        (
            Edit(
                "shared/consumer.py",
                "        known = {event.id for _, event in named} - taken.new\n",
                "        known: set[UUID] = set()\n",
            ),
        ),
        ("receiver doubled unmarked", "hazards doubled timeline", "all dead letters", "hazards unequal cases"),
        aim="hazards",
        points="relay.after_ack=kill%0.2",
    ),
    Rule(
        "marked_after_sent",
        "The outbox is marked only after the broker has it.",
        (
            Edit(
                "shared/outbox.py",
                '                return 0\n            faults.point("relay.before_send")\n',
                '                return 0\n            await db.execute(MARK, [row["seq"] for row in rows])\n'
                '        if rows:\n            faults.point("relay.before_send")\n',
            ),
        ),
        ("bus missing cases", "bus missing notifications"),
        aim="hazards",
        points="relay.before_send=kill%0.2",
    ),
    Rule(
        "claimed_not_followed",
        "The outbox is claimed by what is unsent, never followed by `id > last`.",
        (
            Edit(
                "shared/queries.sql",
                "FROM outbox WHERE sent_at IS NULL ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED",
                "FROM outbox WHERE seq > (SELECT coalesce(max(seq), 0) FROM outbox WHERE sent_at IS NOT NULL)\n"
                "ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED",
            ),
        ),
        ("bus missing cases", "bus missing notifications", "bus missing pushed"),
        aim="hazards",
        points="consumer.before_commit=sleep0.3%0.5",
        replicas=2,
    ),
    Rule(
        "sent_in_order",
        "What is said of a case leaves in the order in which it happened.",
        (
            Edit(
                "shared/queries.sql",
                "FROM outbox WHERE sent_at IS NULL ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED",
                "FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
            ),
        ),
        ("bus disordered cases",),
    ),
    Rule(
        "recorded_before_called",
        "An attempt is committed as sending before the call.",
        (
            Edit(
                "services/notify/delivery.py",
                "self._slow) if free else []\n",
                "self._slow) if free else []\n"
                "            for each in claims:\n                self._begin(channel, each)\n"
                "            await asyncio.sleep(0.1)\n"
                '            if claims:\n                faults.point("attempt.before_call")\n',
            ),
            Edit(
                "services/notify/delivery.py",
                '            faults.point("attempt.before_call")\n            self._begin(channel, each)\n',
                "            pass\n",
            ),
        ),
        ("receiver invented calls", "receiver doubled unmarked"),
        aim="notify",
        points="attempt.before_call=kill%0.2",
    ),
    Rule(
        "one_webhook_id",
        "Every attempt of a message carries the same webhook-id.",
        (
            Edit(
                "services/notify/delivery.py",
                "str(claimed.id), claimed.body, traceparent)",
                "str(__import__('uuid').uuid5(claimed.id, str(claimed.tries))), claimed.body, traceparent)",
            ),
        ),
        ("receiver doubled messages",),
    ),
    Rule(
        "leases_end",
        "An attempt whose end nobody knows is made again.",
        (
            Edit(
                "services/notify/queries.sql",
                "coalesce(d.state, '') IN ('waiting', 'sending')\n",
                "d.state = 'waiting'\n",
            ),
        ),
        ("receiver missing created",),
        aim="notify",
        points="attempt.before_call=kill%0.02",
    ),
    Rule(
        "poison_is_kept",
        "What cannot be taken in becomes a dead letter.",
        (
            Edit(
                "shared/consumer.py",
                "            await deadletters.bury(db, self.topic.name, batch.dead)\n",
                "",
            ),
        ),
        ("all missing letters",),
    ),
    Rule(
        "figures_with_facts",
        "A roll-up changes in the transaction of its facts.",
        (
            Edit(
                "services/reporting/handlers.py",
                "    await store.add_to_rollups(db, roll_up(new))\n",
                '    await db.execute("COMMIT; BEGIN")\n    await store.add_to_rollups(db, roll_up(new))\n',
            ),
        ),
        ("reporting unequal rollups",),
        aim="reporting",
        points="consumer.before_commit=kill%0.3",
    ),
)


def copied(folder: Path, rule: Rule | None = None) -> Path:
    """A copy of the code in the folder, perhaps without a rule: the services run from it, as it was at the start."""
    tree = folder / "tree"
    for name in COPIED:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for edit in rule.edits if rule else ():
        edit.apply(tree)
    return tree


def named(names: Sequence[str]) -> list[Rule]:
    """These rules; all of them where none is named."""
    known = {rule.name: rule for rule in RULES}
    return [known[name] for name in names] if names else list(RULES)
