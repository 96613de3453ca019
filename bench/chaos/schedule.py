"""What is done to the stack, and when, follows from the seed alone."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault: after so many seconds, of that name, with a chance of its own for all it chooses."""

    number: int
    pause_s: float
    name: str
    seed: str

    def chance(self) -> random.Random:
        """The same choices at every run."""
        return random.Random(self.seed)


def plan(seed: int, weights: Mapping[str, int], mean_pause_s: float) -> Iterator[Planned]:
    """Faults without end; pauses spread evenly around the mean."""
    chance = random.Random(seed)
    names = sorted(weights)
    number = 0
    while names:
        number += 1
        (name,) = chance.choices(names, [weights[each] for each in names])
        yield Planned(number, chance.uniform(0.4, 1.6) * mean_pause_s, name, f"{seed}/{number}/{name}")
