"""Blocking people and organisations: who may, for how long, and that both sides know."""

from datetime import date, timedelta

import pytest

from accounts.domain.errors import Invalid, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from bookings.overview.services.effects import effects_carry_out
from instruments.policy.domain.blocks import BlockTerms
from instruments.policy.selectors.blocks import blocks_for
from instruments.policy.services.blocks import block_lift
from instruments.register.models import HostBlock
from instruments.register.selectors.blocks import is_in_force
from tests.factories.blocks import block
from tests.factories.cast import NOW, at


def test_a_block_is_told_with_its_reason_and_address_and_recorded(cast):
    row = block(cast, "wang")
    effects_carry_out(now=NOW + timedelta(minutes=5))
    message = Message.objects.get(user=cast.wang, kind="block.made")
    assert "The stage was broken." in message.text and "zhao@ustc.example" in message.text
    assert TrailEntry.objects.filter(action="block.make", object_id=row.pk).count() == 1
    assert [list(blocks_for(cast.actor(who))) == [row] for who in ("zhao", "wang", "hu")] == [
        True,
        True,
        False,
    ]


def test_an_organisations_managers_are_told(cast):
    block(cast, organisation=cast.fudan)
    effects_carry_out(now=NOW + timedelta(minutes=5))
    assert list(Message.objects.filter(kind="block.made").values_list("user", flat=True)) == [cast.chen.pk]


@pytest.mark.parametrize("who", ["sun", "chen", "gao", "coordinator", "auditor", "admin"])
def test_only_managers_of_the_host_block_and_lift(cast, who):
    with pytest.raises(NotPermitted):
        block(cast, "wang", by=who)
    row = block(cast, "alice")
    with pytest.raises(Exception) as refused:
        block_lift(By(cast.actor(who), NOW), block_id=row.pk, reason="x")
    assert refused.value.code in {"not-found", "not-permitted"}
    assert HostBlock.objects.filter(lifted_at=None).count() == 1


def test_what_cannot_be_blocked(cast):
    for given, code in (
        ({"who": "zhao"}, "own-block"),
        ({"organisation": cast.ustc}, "own-block"),
        ({"who": "wang", "organisation": cast.fudan}, "person-or-organisation"),
        ({}, "person-or-organisation"),
        ({"who": "wang", "last_day": "2026-03-04"}, "out-of-range"),
        ({"who": "wang", "last_day": "2028-04-01"}, "out-of-range"),
    ):
        with pytest.raises((Invalid, NotPermitted)) as refused:
            block(cast, **given)
        problems = getattr(refused.value, "problems", None)
        assert (problems[0].code if problems else refused.value.code) == code, given
    block(cast, "wang")
    with pytest.raises(WrongState) as refused:
        block(cast, "wang")
    assert refused.value.code == "already-blocked"


def test_it_ends_with_its_last_day_at_the_host_or_when_it_is_lifted(cast):
    row = block(cast, "wang", last_day="2026-03-06")
    assert is_in_force(row, at("2026-03-06 23:59")) and not is_in_force(row, at("2026-03-07 00:00"))
    by = By(cast.actor("zhao"), NOW)
    with pytest.raises(Invalid):
        block_lift(by, block_id=row.pk, reason="")
    row = block_lift(by, block_id=row.pk, reason="Settled")
    assert not is_in_force(row, NOW)
    with pytest.raises(WrongState):
        block_lift(by, block_id=row.pk, reason="Again")
    effects_carry_out(now=NOW + timedelta(minutes=5))
    assert "Settled" in Message.objects.get(user=cast.wang, kind="block.lifted").text


def test_the_trail_keeps_no_mail_address(cast):
    row = block(cast, "wang")
    assert "contact" not in TrailEntry.objects.get(action="block.make", object_id=row.pk).after


def test_a_host_makes_only_so_many_blocks_a_day(cast, monkeypatch):
    monkeypatch.setattr("instruments.policy.services.blocks.MOST_A_DAY", 2)
    for who in ("wang", "hu"):
        block(cast, who)
    with pytest.raises(WrongState) as refused:
        block(cast, "alice")
    assert (refused.value.code, refused.value.numbers) == ("too-many-blocks-today", {"most": 2})
    assert HostBlock.objects.count() == 2
    block(cast, "alice", now=NOW + timedelta(days=1))


def test_objections_go_to_a_manager_or_the_facility_alone(cast):
    cast.facility.contact_email = "Desk@ustc.example"
    cast.facility.save()

    def to(contact, **of):
        return block(cast, "wang", terms=BlockTerms("Broke it", date(2026, 4, 1), contact), **of)

    for stranger in ("victim@else.example", "wang@fudan.example", "sun@ustc.example"):
        with pytest.raises(Invalid) as refused:
            to(stranger)
        assert refused.value.problems[0].code == "not-a-host-address"
    assert not HostBlock.objects.exists()
    to("desk@ustc.example", facility=cast.facility)
    to("Zhao@ustc.example")
