"""Routes (通知路线): which tiers are asked for a level, lowest first, and how long each has to answer."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Final

from shared.vocabulary import Level, Tier

Routes = Mapping[Level, Mapping[Tier, timedelta]]

ABOVE: Final = dict(pairwise(Tier))
_RANK: Final = {tier: rank for rank, tier in enumerate(Tier)}


def first_tier(routes: Routes, level: Level, own: Tier) -> Tier:
    """Where a call begins: at the route's first tier that is not below the own one, else at the own one."""
    return min((tier for tier in routes[level] if _RANK[tier] >= _RANK[own]), key=_RANK.__getitem__, default=own)


def next_tier(routes: Routes, level: Level, tier: Tier) -> Tier | None:
    """The route's next tier; None where the route ends."""
    return min((each for each in routes[level] if _RANK[each] > _RANK[tier]), key=_RANK.__getitem__, default=None)


def time_to_answer(routes: Routes, level: Level, tier: Tier) -> timedelta:
    """How long a tier has; one that the route does not name has as long as the route's last."""
    route = routes[level]
    return route[tier] if tier in route else route[max(route, key=_RANK.__getitem__)]


def is_ascending(tiers: Iterable[Tier]) -> bool:
    """Whether each tier lies above the one before, so that every step can be reached."""
    return all(_RANK[low] < _RANK[high] for low, high in pairwise(tiers))
