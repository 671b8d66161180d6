"""Budgets of sending: per place, per group, in all; a platform's own "not before"."""

from __future__ import annotations

from bot.pace import Pace
from channels import Budget


def place(address: str) -> tuple[str, bool]:
    where = address.partition("#")[0]
    return where, where.startswith("-")


def test_one_message_a_second_to_one_place_and_any_number_to_others() -> None:
    pace = Pace(Budget(per_address=1.0), place)
    pace.spend("a", 10.0)
    assert pace.free_at("a") == 11.0
    assert pace.free_at("b") == 0.0


def test_the_pace_counts_from_when_the_platform_has_it() -> None:
    pace = Pace(Budget(per_address=1.0), place)
    pace.arrived("a", 9.0)  # nothing went out: nothing to count
    pace.spend("a", 10.0)
    pace.arrived("a", 10.4)
    assert pace.free_at("a") == 11.4


def test_a_group_has_its_own_minute_shared_by_all_who_ask_there() -> None:
    pace = Pace(Budget(per_group_minute=3), place)
    for n in range(3):
        pace.spend(f"-7#{n}", 100.0 + n)
    assert pace.free_at("-7#9") == 160.0
    assert pace.free_at("7") == 0.0
    pace.spend("-7#1", 160.0)
    assert pace.free_at("-7#2") == 161.0


def test_the_whole_has_a_second() -> None:
    pace = Pace(Budget(overall=2), place)
    assert pace.room(0.0, 50) == 2
    pace.spend("a", 0.0)
    pace.spend("b", 0.1)
    assert pace.room(0.5, 50) == 0
    assert pace.free_at("c") == 1.0  # whoever asks for one place only is told of it, too
    assert pace.room(1.05, 50) == 1
    pace.spend("c", 1.05)
    assert pace.free_at("a") == 1.1


def test_a_platforms_no_holds_its_own_scope_only() -> None:
    pace = Pace(Budget(), place)
    pace.hold("a", 50.0)
    assert (pace.free_at("a"), pace.free_at("b"), pace.room(10.0, 5)) == (50.0, 0.0, 5)
    pace.hold("a", 60.0, everything=True)
    assert (pace.room(59.0, 5), pace.room(60.0, 5)) == (0, 5)
    assert (pace.free_at("a"), pace.free_at("b")) == (60.0, 60.0)


def test_an_address_of_no_known_form_is_a_place_of_its_own_and_spoils_no_others_pace() -> None:
    def only_numbers(address: str) -> tuple[str, bool]:
        return str(int(address)), False

    pace = Pace(Budget(per_address=1.0), only_numbers)
    pace.spend("True", 10.0)
    pace.hold("soup", 30.0)
    assert [pace.free_at(address) for address in ("True", "soup", "7")] == [11.0, 30.0, 0.0]
