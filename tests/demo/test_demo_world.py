"""The world begins once; a feed that was away for a moment leaves no gap, one that was away for long makes no flood."""

from deploy.demo import machine
from deploy.demo.province import by_slug, enterprises
from deploy.demo.world import HISTORY_S, LONGEST_GAP_S, World, begin, readings, resume

NOW = 1_790_000_000
OWNER = by_slug()[machine.ENTERPRISE]


def heard_up_to(moment: int, world: World) -> World:
    return world.model_copy(update={"until": dict.fromkeys(world.until, moment)})


def test_the_whole_province_sends_five_to_twenty_readings_a_second():
    world = begin(NOW)

    count = sum(len(readings(world, enterprise, NOW, NOW + 600)) for enterprise in enterprises())

    assert 5 <= count / 600 <= 20


def test_readings_of_a_point_never_share_a_time():
    world = begin(NOW)

    for enterprise in enterprises():
        found = [(r.point, r.at) for r in readings(world, enterprise, NOW - HISTORY_S, NOW + 300)]
        assert len(set(found)) == len(found)
        assert [at for _, at in found] == sorted(at for _, at in found)


def test_a_short_absence_is_made_good():
    world = heard_up_to(NOW + 100, begin(NOW))

    resumed, owed = resume(world, NOW + 100 + LONGEST_GAP_S)

    assert (resumed, owed) == (world, {})


def test_after_a_long_absence_the_machine_goes_on_at_the_row_it_reached():
    world = heard_up_to(NOW + 100, begin(NOW))
    back = NOW + 100_000

    resumed, _ = resume(world, back)
    first = [r for r in readings(resumed, OWNER, back, back + 1) if r.point == machine.POINT]

    assert set(resumed.until.values()) == {back}
    assert resumed.epoch == world.epoch
    assert [r.value for r in first] == [round(machine.temperatures()[machine.START_ROW + 101], 3)]


def test_a_world_survives_being_written_down():
    world = begin(NOW)

    assert World.model_validate_json(world.model_dump_json()) == world


def test_an_enterprise_that_is_new_to_the_world_begins_now():
    world = begin(NOW)
    del world.until[OWNER.uscc]

    resumed, owed = resume(world, NOW + 10)

    assert resumed.until[OWNER.uscc] == NOW + 10
    assert owed == {}
