"""Roles and their duties, and leaving."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.adapters.checks import duties
from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By, DutiesConflict
from accounts.models import Membership, Message, Organisation, OutboxMessage, RoleGrant, TrailEntry, User
from accounts.permissions import actor_of
from accounts.selectors.erasure import sole_duties
from accounts.selectors.memberships import holders_of, people_in_conflict, place_of
from accounts.services.memberships import (
    MOST_LIMITS,
    members_let_go,
    membership_end,
    role_grant,
    role_grant_to_new,
    role_revoke,
    roles_grant_limited,
    second_ask,
)
from accounts.services.organisations import region_create
from bookings.overview.services.effects import effects_carry_out
from instruments.managing.services.registry import facility_create
from tests.factories.cast import NOW


def give(cast, who, whom, role, **place):
    return role_grant(By(cast.actor(who), NOW), user=cast.people[whom], role=role, **place)


def held(cast, whom):
    rows = RoleGrant.objects.filter(user=cast.people[whom], revoked_at=None)
    return {row.role for row in rows}


def test_managers_give_the_roles_of_their_organisation(cast):
    for role in ("manager", "finance"):
        grant = give(cast, "chen", "wang", role, organisation=cast.fudan)
        assert grant.granted_by == cast.chen
    assert held(cast, "wang") == {"researcher", "manager", "finance"}
    entry = TrailEntry.objects.filter(action="role.grant").latest("at", "id")
    assert entry.actor_id == cast.chen.pk and entry.after["role"] == "finance"
    assert entry.organisation_ids == [cast.fudan.pk]


@pytest.mark.parametrize("who", ["wang", "lin", "zhao", "auditor", "coordinator", "alice"])
def test_nobody_else_does(cast, who):
    with pytest.raises(NotPermitted):
        give(cast, who, "sun" if who == "wang" else "wang", "finance", organisation=cast.fudan)


def test_managers_give_nothing_beyond(cast):
    with pytest.raises(NotPermitted):
        give(cast, "chen", "wang", "administrator")
    with pytest.raises(NotPermitted):
        give(cast, "chen", "wang", "coordinator", region=cast.shanghai)
    with pytest.raises(NotPermitted):
        give(cast, "chen", "sun", "finance", organisation=cast.ustc)


def test_roles_of_an_organisation_are_for_members(cast):
    with pytest.raises(WrongState, match="member-first"):
        give(cast, "chen", "alice", "finance", organisation=cast.fudan)
    with pytest.raises(WrongState, match="member-first"):
        give(cast, "admin", "alice", "finance", organisation=cast.fudan)


def test_nobody_gives_themselves_a_role(cast):
    with pytest.raises(NotPermitted, match="own-role"):
        give(cast, "chen", "chen", "finance", organisation=cast.fudan)
    with pytest.raises(NotPermitted, match="own-role"):
        give(cast, "admin", "admin", "auditor", region=cast.anhui)


@pytest.mark.parametrize(
    ("role", "place"),
    [("auditor", "organisation"), ("manager", "region"), ("manager", ""), ("administrator", "region")],
)
def test_a_role_is_held_where_it_is_made_for(cast, role, place):
    places = {"organisation": {"organisation": cast.ustc}, "region": {"region": cast.anhui}, "": {}}
    with pytest.raises(Invalid):
        give(cast, "admin", "sun", role, **places[place])


# Duties that exclude one another


@pytest.mark.parametrize("role", ["manager", "finance"])
def test_who_audits_a_region_has_no_say_in_it(cast, role):
    # Sun first belongs to USTC, in Anhui, and then audits; and the other way round.
    give(cast, "zhao", "sun", role, organisation=cast.ustc)
    for region in (cast.anhui, cast.anhui.parent):
        with pytest.raises(DutiesConflict) as refused:
            give(cast, "admin", "sun", "auditor", region=region)
        assert refused.value.numbers["role"] == role
    give(cast, "admin", "sun", "auditor", region=cast.shanghai)
    give(cast, "admin", "hu", "auditor", region=cast.anhui.parent)
    with pytest.raises(DutiesConflict):
        give(cast, "admin", "hu", role, organisation=cast.optics)
    assert held(cast, "hu") == {"researcher", "auditor"}


def test_who_audits_a_region_coordinates_none_of_it(cast):
    district = region_create(
        By(PLATFORM, NOW),
        scheme="ISO 3166-2",
        code="CN-AH-1",
        parent=cast.anhui,
        name="Hefei",
        time_zone="Asia/Shanghai",
        currency="CNY",
    )
    for region in (cast.anhui, cast.anhui.parent, district):
        with pytest.raises(DutiesConflict):
            give(cast, "admin", "coordinator", "auditor", region=region)
        with pytest.raises(DutiesConflict):
            give(cast, "admin", "auditor", "coordinator", region=region)
    give(cast, "admin", "coordinator", "auditor", region=cast.shanghai)
    give(cast, "admin", "auditor", "coordinator", region=cast.shanghai)


def test_who_audits_anywhere_is_no_administrator(cast):
    with pytest.raises(DutiesConflict) as refused:
        give(cast, "admin", "auditor", "administrator")
    assert refused.value.numbers["role"] == "auditor"
    give(cast, "admin", "alice", "administrator")
    for region in (cast.anhui, cast.shanghai, cast.anhui.parent):
        with pytest.raises(DutiesConflict) as refused:
            give(cast, "admin", "alice", "auditor", region=region)
        assert refused.value.numbers["role"] == "administrator"
    assert held(cast, "alice") == {"administrator"}
    with pytest.raises(DutiesConflict):  # the platform itself, as commands and the demonstration
        role_grant(By(PLATFORM, NOW), user=cast.auditor, role="administrator")


def test_who_held_both_before_is_named_and_keeps_them(cast, client):
    assert people_in_conflict() == [] and duties(databases=["default"]) == []
    RoleGrant.objects.create(user=cast.admin, role="auditor", region=cast.anhui, granted_at=NOW)
    (found,) = people_in_conflict()
    assert found[0] == cast.admin and set(found[1:]) == {"administrator", "auditor"}
    (warning,) = duties(databases=["default"])
    assert (warning.id, "admin@commons.example" in warning.msg) == ("accounts.W001", True)
    client.force_login(cast.admin)
    assert b"data-conflicts" in client.get(reverse("accounts:roles")).content
    assert held(cast, "admin") == {"administrator", "auditor"}
    give(cast, "admin", "alice", "administrator")
    grant = RoleGrant.objects.get(user=cast.admin, role="administrator")
    role_revoke(By(cast.actor("alice"), NOW), grant_id=grant.pk, reason="Audits")
    assert people_in_conflict() == []


def test_a_role_that_was_taken_excludes_nothing(cast):
    grant = RoleGrant.objects.get(user=cast.people["gao"], role="finance")
    role_revoke(By(cast.actor("zhao"), NOW), grant_id=grant.pk, reason="moves on")
    give(cast, "admin", "gao", "auditor", region=cast.anhui)
    assert held(cast, "gao") == {"auditor"}


# Taking roles


def test_taking_a_role_ends_it_at_once(cast):
    grant = RoleGrant.objects.get(user=cast.people["lin"], role="finance")
    with pytest.raises(Invalid):
        role_revoke(By(cast.actor("chen"), NOW), grant_id=grant.pk, reason=" ")
    role_revoke(By(cast.actor("chen"), NOW), grant_id=grant.pk, reason="moves on")
    assert not actor_of(User.objects.get(pk=cast.lin.pk)).may("account", place_of(cast.fudan))
    with pytest.raises(NotFound):
        role_revoke(By(cast.actor("chen"), NOW), grant_id=grant.pk, reason="again")
    entry = TrailEntry.objects.get(action="role.revoke")
    assert entry.before["role"] == "finance" and entry.text.content == {"reason": "moves on"}


@pytest.mark.parametrize("who", ["wang", "zhao", "gao", "auditor"])
def test_others_take_nothing(cast, who):
    grant = RoleGrant.objects.get(user=cast.people["lin"], role="finance")
    with pytest.raises(NotFound):
        role_revoke(By(cast.actor(who), NOW), grant_id=grant.pk, reason="x")


def test_the_last_manager_and_the_last_administrator_stay(cast):
    chen = RoleGrant.objects.get(user=cast.chen, role="manager")
    for who in ("chen", "admin"):
        with pytest.raises(WrongState, match="last-manager"):
            role_revoke(By(cast.actor(who), NOW), grant_id=chen.pk, reason="x")
    admin = RoleGrant.objects.get(role="administrator")
    with pytest.raises(WrongState, match="last-administrator"):
        role_revoke(By(cast.actor("admin"), NOW), grant_id=admin.pk, reason="")
    give(cast, "chen", "wang", "manager", organisation=cast.fudan)
    role_revoke(By(cast.actor("chen"), NOW), grant_id=chen.pk, reason="")
    assert held(cast, "chen") == set()


# Leaving


def membership(cast, whom):
    return Membership.objects.get(user=cast.people[whom], ended_at=None)


def test_leaving_ends_roles_at_once(cast):
    row = membership(cast, "wang")
    membership_end(By(cast.actor("wang"), NOW), membership_id=row.pk, reason="")
    after = actor_of(User.objects.get(pk=cast.wang.pk))
    assert after.organisations == frozenset() and after.grants == ()
    with pytest.raises(WrongState):
        membership_end(By(cast.actor("wang"), NOW), membership_id=row.pk, reason="")
    actions = set(TrailEntry.objects.filter(actor_id=cast.wang.pk).values_list("action", flat=True))
    assert actions == {"membership.end", "role.revoke"}


def test_a_manager_ends_with_a_reason_and_only_their_own(cast):
    row = membership(cast, "wang")
    with pytest.raises(NotFound):
        membership_end(By(cast.actor("zhao"), NOW), membership_id=row.pk, reason="x")
    with pytest.raises(NotFound):
        membership_end(By(cast.actor("lin"), NOW), membership_id=row.pk, reason="x")
    with pytest.raises(Invalid):
        membership_end(By(cast.actor("chen"), NOW), membership_id=row.pk, reason="")
    ended = membership_end(By(cast.actor("chen"), NOW), membership_id=row.pk, reason="x")
    assert ended.ended_at == NOW and held(cast, "wang") == set()


def test_an_auditor_reads_members_and_ends_nothing(cast):
    row = membership(cast, "sun")
    with pytest.raises(NotPermitted):
        membership_end(By(cast.actor("auditor"), NOW), membership_id=row.pk, reason="x")


def test_the_last_manager_does_not_leave(cast):
    row = membership(cast, "chen")
    with pytest.raises(WrongState, match="last-manager"):
        membership_end(By(cast.actor("chen"), NOW), membership_id=row.pk, reason="")
    assert membership(cast, "chen") == row and held(cast, "chen") == {"manager"}


ACCOUNTANT = "no-second-accountant"


@pytest.fixture
def alone(cast):
    """Gao keeps the accounts of USTC; nobody else may."""
    RoleGrant.objects.filter(user=cast.people["zhao"]).update(revoked_at=NOW)
    return cast


def ask(cast, who="gao", code=ACCOUNTANT, now=NOW, **place):
    second_ask(By(cast.actor(who), now), code=code, **(place or {"organisation": cast.ustc}))


def letters():
    effects_carry_out(now=NOW + timedelta(days=3))
    rows = Message.objects.filter(kind="people.second").order_by("user__email")
    return [(row.user.email, row.subject, row.link) for row in rows]


def test_whoever_may_give_the_role_is_asked(alone):
    ask(alone)
    page = f"/organisations/{alone.ustc.pk}/members/"
    assert letters() == [("admin@commons.example", "Second approver needed: USTC", page)]
    text = Message.objects.get(kind="people.second").text
    assert "Gao Lei (gao@ustc.example) needs a second approver" in text
    assert "the role finance" in text
    entry = TrailEntry.objects.get(action="role.ask")
    assert (entry.object_id, entry.after) == (alone.ustc.pk, {"role": "finance"})


def test_once_a_day(alone):
    ask(alone)
    with pytest.raises(WrongState, match="second-asked"):
        ask(alone)
    ask(alone, now=NOW + timedelta(days=1))
    assert OutboxMessage.objects.filter(kind="people.second").count() == 2


def test_nobody_is_written_to_once_there_is_a_second(alone):
    ask(alone)
    role_grant(By(PLATFORM, NOW), user=alone.people["sun"], role="finance", organisation=alone.ustc)
    assert letters() == []
    with pytest.raises(WrongState, match="second-exists"):
        ask(alone, now=NOW + timedelta(days=1))


@pytest.mark.parametrize("who", ["wang", "alice", "auditor", "coordinator"])
def test_others_ask_for_nobody(alone, who):
    with pytest.raises(NotPermitted):
        ask(alone, who)
    assert not OutboxMessage.objects.filter(kind="people.second").exists()


def test_of_a_region_coordinators_ask_the_administrators(alone):
    RoleGrant.objects.filter(user=alone.people["xu"]).update(revoked_at=NOW)
    for who in ("wang", "gao"):
        with pytest.raises(NotPermitted):
            ask(alone, who, "no-second-coordinator", region=alone.shanghai)
    ask(alone, "coordinator", "no-second-coordinator", region=alone.shanghai)
    assert letters() == [("admin@commons.example", "Second approver needed: Shanghai", "/people/roles/")]


@pytest.mark.parametrize("code", ["no-second-auditor", "own-role", ""])
def test_only_for_what_a_page_says_is_lacking(alone, code):
    with pytest.raises(Invalid):
        ask(alone, code=code)


# Who is told


def told(kind: str) -> dict[str, str]:
    """Whom messages of a kind reach, and what these say."""
    effects_carry_out(now=NOW)
    messages = Message.objects.filter(kind=kind).select_related("user")
    return {
        message.user.email.partition("@")[0]: f"{message.subject}\n{message.text}" for message in messages
    }


def test_who_loses_a_role_is_told_by_whom_when_and_what_ends_with_it(cast):
    grant = RoleGrant.objects.get(user=cast.people["lin"], role="finance")
    role_revoke(By(cast.actor("chen"), NOW), grant_id=grant.pk, reason="moves on")
    (text,) = told("people.role-ended").values()
    assert text.startswith("Your role has ended: finance, Fudan")
    for words in ("moves on", f"Ended by: {cast.chen}", "funding sources, charges", "Ended: "):
        assert words in text
    assert list(told("people.role-ended")) == ["lin"]


def test_who_lays_down_a_role_is_not_told_of_it(cast):
    grant = RoleGrant.objects.get(user=cast.people["lin"], role="finance")
    role_revoke(By(cast.actor("lin"), NOW), grant_id=grant.pk, reason="")
    assert told("people.role-ended") == {}


def test_who_gets_a_role_is_told_once(cast):
    for _ in range(2):
        give(cast, "chen", "wang", "finance", organisation=cast.fudan)
    assert OutboxMessage.objects.filter(kind="people.role-given").count() == 1
    (text,) = told("people.role-given").values()
    assert text.startswith("You have a new role: finance, Fudan")
    assert f"Given by: {cast.chen}" in text


def test_who_is_entered_with_a_role_gets_the_link_alone(cast):
    """Two messages at once would have them look for the link in the wrong one."""
    by = By(cast.actor("admin"), NOW)
    role_grant_to_new(by, email="new@anhui.example", role="auditor", region=cast.anhui)
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert "people.role-given" not in kinds and len(kinds) == 1


@pytest.mark.parametrize(
    "text",
    ["Smith", "a b@x.example", "@", "a@b", "x@y.example\nBcc: z@y.example", str(UUID(int=7)), "\0@x.example"],
)
def test_no_account_is_created_for_what_is_no_address(cast, text):
    count = User.objects.count()
    with pytest.raises(Invalid) as refused:
        role_grant_to_new(By(cast.actor("admin"), NOW), email=text, role="auditor", region=cast.anhui)
    assert [(one.field, one.code) for one in refused.value.problems] == [("user", "not-a-mail-address")]
    assert User.objects.count() == count


def test_a_role_of_a_region_is_told_with_its_name(cast):
    give(cast, "admin", "alice", "auditor", region=cast.shanghai)
    assert "auditor" in told("people.role-given")["alice"]
    grant = RoleGrant.objects.get(user=cast.people["alice"], role="auditor")
    role_revoke(By(cast.actor("admin"), NOW), grant_id=grant.pk, reason="x")
    assert cast.shanghai.name in told("people.role-ended")["alice"]


def test_whose_membership_is_ended_is_told_which_roles_end_with_it_and_by_whom(cast):
    row = membership(cast, "lin")
    membership_end(By(cast.actor("chen"), NOW), membership_id=row.pk, reason="left us")
    text = told("people.ended")["lin"]
    for words in ("left us", f"Ended by: {cast.chen}", "finance (funding sources"):
        assert words in text
    # Who is no member any more is not told by name who manages.
    assert "Whom to ask: the managers of Fudan University\n" in text
    assert told("people.role-ended") == {}  # it is one message


@pytest.mark.parametrize("is_merged", [True, False])
def test_whose_organisation_is_closed_or_merged_is_told(cast, is_merged):
    """Each member, with the roles that end; the others continue. So does who had a role without being a
    member."""
    into = cast.fudan if is_merged else None
    role_grant(By(PLATFORM, NOW), user=cast.people["alice"], role="finance", organisation=cast.ustc)
    with transaction.atomic():
        members_let_go(By(cast.actor("admin"), NOW), organisation=cast.ustc, into=into)
        Organisation.objects.filter(pk=cast.ustc.pk).update(merged_into=into, closed_at=NOW)
    kind = "people.member-merged" if is_merged else "people.organisation-closed"
    texts = told(kind)
    members = Membership.objects.filter(organisation=cast.ustc).select_related("user")
    assert texts.keys() == {row.user.email.partition("@")[0] for row in members}
    assert ("publishing instruments" in texts["zhao"]) is not is_merged
    assert (str(cast.fudan) in texts["zhao"]) is is_merged
    ended = told("people.role-ended")
    assert ended.keys() == (set() if is_merged else {"alice"})
    assert all("Whom to ask: the administrators of the platform" in text for text in ended.values())


# Roles for a part of an organisation


def grant_limited(cast, **changes):
    values = {"role": "operator", "facilities": [cast.facility.pk], "instruments": [cast.microscope.pk]}
    by = By(cast.actor("zhao"), NOW)
    return roles_grant_limited(by, user=cast.sun, organisation=cast.ustc, **values | changes)


def test_letters_of_a_limited_role_say_to_what_and_nothing_of_members(cast):
    first, _ = grant_limited(cast, role="manager")
    role_revoke(By(cast.actor("zhao"), NOW), grant_id=first.pk, reason="Left the group")
    (ended,) = told("people.role-ended").values()
    place, device = cast.facility.name, cast.microscope.name
    assert ended.startswith(f"Your role has ended: manager ({place})")
    grant_limited(cast, role="manager", facilities=[], instruments=[cast.instrument(name="Second").pk])
    given = told("people.role-given")["sun"]
    assert f"manager ({device}" in given or "manager (Second)" in given
    for text in (ended, given):
        assert "members" not in text and "publishing the instruments it is limited to" in text


def test_a_manager_gives_a_role_for_facilities_and_instruments(cast):
    OutboxMessage.objects.all().delete()
    first, second = grant_limited(cast)
    assert (first.facility_id, second.instrument_id) == (cast.facility.pk, cast.microscope.pk)
    entries = TrailEntry.objects.filter(action="role.grant", object_id__in=[first.pk, second.pk])
    told = {(one.after.get("facility"), one.after.get("instrument")) for one in entries}
    assert told == {(str(cast.facility.pk), None), (None, str(cast.microscope.pk))}
    message = OutboxMessage.objects.get(kind="people.role-given")  # one, of both
    assert message.payload["also"] == [str(second.pk)]
    # Given again they stay, and nobody is told again.
    assert [grant.pk for grant in grant_limited(cast)] == [first.pk, second.pk]
    assert OutboxMessage.objects.filter(kind="people.role-given").count() == 1
    with pytest.raises(NotFound):  # nobody else's, unless they read the members
        role_revoke(By(cast.actor("wang"), NOW), grant_id=first.pk, reason="x")
    role_revoke(By(cast.actor("zhao"), NOW), grant_id=first.pk, reason="Left the group")
    assert cast.actor("sun").scope_where("operate-instruments").facilities == frozenset()


@pytest.mark.parametrize(
    "changes,field,code",
    [
        ({"facilities": [], "instruments": []}, "facilities", "required"),
        ({"role": "finance"}, "facility", "not-of-this-role"),
        ({"facilities": ["away"]}, "facility", "unknown-value"),
        ({"facilities": ["microscope"]}, "facility", "unknown-value"),
        ({"facilities": [], "instruments": ["facility"]}, "instrument", "unknown-value"),
    ],
)
def test_only_a_part_of_the_organisation_limits_a_role(cast, changes, field, code):
    away = facility_create(
        By(PLATFORM, NOW), organisation=cast.fudan, name="Away", time_zone="Asia/Shanghai", address="1 Road"
    )
    ids = {"away": away.pk, "microscope": cast.microscope.pk, "facility": cast.facility.pk}
    changes = {
        name: [ids[one] for one in given] if isinstance(given, list) else given
        for name, given in changes.items()
    }
    with pytest.raises(Invalid) as refused:
        grant_limited(cast, **changes)
    assert [(one.field, one.code) for one in refused.value.problems] == [(field, code)]
    assert not RoleGrant.objects.filter(role="operator").exists()


def test_many_are_given_at_once_with_what_they_share_read_once(cast):
    ids = [cast.instrument(name=f"Laser {n}").pk for n in range(3)]
    with pytest.raises(Invalid) as refused:
        grant_limited(cast, instruments=[uuid4() for _ in range(MOST_LIMITS)])
    assert [(one.field, one.code) for one in refused.value.problems] == [("facilities", "too-many")]
    with CaptureQueriesContext(connection) as found:
        assert len(grant_limited(cast, facilities=[], instruments=[*ids, *ids])) == 3
    names = [one["sql"] for one in found if 'FROM "instruments_instrument"' in one["sql"]]
    assert len(names) == 1


def test_the_letter_names_what_is_left_of_several_limits(cast, settings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    first, _ = grant_limited(cast)
    role_revoke(By(cast.actor("zhao"), NOW), grant_id=first.pk, reason="Not this one")
    text = told("people.role-given")["sun"]
    assert f"Limited to: {cast.microscope.name}\n" in text
    (ended,) = (one for one in mail.outbox if one.subject.startswith("Your role has ended"))
    html = str(ended.alternatives[0].content)
    assert "Limited to" in html and cast.facility.name in html  # as the text says


def test_who_held_a_role_for_several_parts_is_told_of_it_once(cast):
    grant_limited(cast)
    membership_end(By(cast.actor("zhao"), NOW), membership_id=membership(cast, "sun").pk, reason="left us")
    assert told("people.ended")["sun"].count("What ends with it: operator") == 1


def test_a_manager_of_an_instrument_is_no_manager_of_the_organisation(cast):
    grant_limited(cast, role="manager", facilities=[])
    sun = cast.actor("sun")
    assert not sun.may("manage-members", place_of(cast.ustc)) and not sun.has("manager")
    assert [person.pk for person in holders_of("manager", cast.ustc.pk)] == [cast.zhao.pk]
    concerned = holders_of("manager", cast.ustc.pk, cast.microscope)
    assert {person.pk for person in concerned} == {cast.zhao.pk, cast.sun.pk}
    with pytest.raises(NotPermitted):
        role_grant(By(sun, NOW), user=cast.gao, role="operator", organisation=cast.ustc)
    # Nor is the organisation's only manager replaced by one.
    own = RoleGrant.objects.get(user=cast.zhao, role="manager")
    with pytest.raises(WrongState) as refused:
        role_revoke(By(cast.actor("zhao"), NOW), grant_id=own.pk, reason="")
    assert refused.value.code == "last-manager"
    assert [grant.pk for grant in sole_duties(cast.zhao)] == [own.pk] and not sole_duties(cast.sun)
    with pytest.raises(DutiesConflict):
        role_grant(By(PLATFORM, NOW), user=cast.sun, role="auditor", region=cast.anhui)
