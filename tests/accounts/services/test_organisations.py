"""Regions: their codes, currencies, zones and calendars of holidays."""

import pytest
from django.db import IntegrityError, transaction

from accounts.adapters.checks import regions
from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import Organisation, OutboxMessage, Region, TrailEntry, User
from accounts.selectors.organisations import region_by_code
from accounts.services import organisations
from accounts.services.memberships import role_grant
from accounts.services.organisation_moves import move_decide
from accounts.services.users import user_register
from bookings.models import SavedSearch
from bookings.overview.services.effects import effects_carry_out
from instruments.opening.models import ScheduleAssignment
from instruments.search.models import SearchEntry
from instruments.search.services.search import register_file
from tests.factories.cast import NOW

VALUES = {
    "scheme": "GB/T 2260",
    "code": "330000",
    "parent": None,
    "name": "Zhejiang",
    "time_zone": "Asia/Shanghai",
    "currency": "CNY",
    "holiday_calendar": "CN",
}


def make(**changes):
    return organisations.region_create(By(PLATFORM, NOW), **VALUES | changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "XXX"}, "unknown-currency"),
        ({"currency": "cny"}, "unknown-currency"),
        ({"time_zone": "Mars/Phobos"}, "unknown-time-zone"),
        ({"time_zone": "asia/shanghai"}, "unknown-time-zone"),
        ({"holiday_calendar": "XX"}, "unknown-calendar"),
        ({"holiday_calendar": "GB-XXX"}, "unknown-calendar"),
        ({"code": "CN-AH"}, "code-taken"),
    ],
)
def test_what_there_is_not_and_what_stands_already_is_refused(cast, changes, code):
    before = Region.objects.count(), TrailEntry.objects.count()
    with pytest.raises(Invalid) as refused:
        make(**changes)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code) == (next(iter(changes)), code)
    assert (Region.objects.count(), TrailEntry.objects.count()) == before


@pytest.mark.parametrize("calendar", ["", "CN", "GB-SCT", "US-WA"])
def test_a_region_without_holidays_of_a_country_or_of_a_part_of_it(cast, calendar):
    assert region_by_code(make(holiday_calendar=calendar).code).holiday_calendar == calendar


@pytest.mark.parametrize(
    ("name", "value", "constraint"),
    [("currency", "XXX", "region_currency"), ("code", "CN-SH", "region_code_once")],
)
def test_the_database_refuses_it_too(cast, name, value, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Region.objects.filter(pk=cast.anhui.pk).update(**{name: value})


def test_a_region_from_before_the_checks_is_named(cast):
    assert regions(databases=["default"]) == []
    Region.objects.filter(pk=cast.anhui.pk).update(time_zone="Mars/Phobos")
    (warning,) = regions(databases=["default"])
    assert (warning.id, "CN-AH" in warning.msg, "Mars/Phobos" in warning.msg) == (
        "accounts.W002", True, True,
    )  # fmt: skip


def test_a_person_registers_with_a_zone_that_there_is(cast):
    with pytest.raises(Invalid) as refused:
        user_register(user=User(email="new@a.example", time_zone="Mars/Phobos"), now=NOW)
    assert refused.value.problems[0].code == "unknown-time-zone"
    assert not User.objects.filter(email="new@a.example").exists()


EVERYBODY = ("alice", "wang", "zhao", "chen", "lin", "auditor", "coordinator", "xu", "admin")


def state():
    return (
        list(Region.objects.order_by("pk").values()),
        list(Organisation.objects.order_by("pk").values()),
        TrailEntry.objects.count(),
        OutboxMessage.objects.count(),
    )


def enter(cast, by="admin", **values):
    given = {"code": "inst", "region": cast.anhui, "name": "Institute", "kind": "institute"}
    return organisations.organisation_create(
        By(cast.actor(by), NOW, values.pop("expected_version", None)), **given | values
    )


def change(cast, organisation=None, by="admin", **values):
    return organisations.organisation_change(
        By(cast.actor(by), NOW, values.pop("expected_version", None)),
        organisation_id=(organisation or cast.ustc).pk,
        **values,
    )


def place(cast, by="admin", **values):
    return organisations.region_create(
        By(cast.actor(by), NOW, values.pop("expected_version", None)),
        **{"scheme": "iso-3166-2", "code": "CN-JS"} | values,
    )


def move(cast, region, by="admin", **values):
    return organisations.region_change(
        By(cast.actor(by), NOW, values.pop("expected_version", None)), region_id=region.pk, **values
    )


def refused(cast, act, *args, **values):
    """Field and code of what was refused, with nothing written."""
    before = state()
    with pytest.raises(Invalid) as error:
        act(cast, *args, **values)
    assert state() == before
    return [(problem.field, problem.code) for problem in error.value.problems]


# Who may


@pytest.mark.parametrize("by", EVERYBODY)
@pytest.mark.parametrize("act", [place, lambda cast, by: move(cast, cast.anhui, by, name="X")])
def test_only_administrators_enter_and_change_regions(cast, act, by):
    if by == "admin":
        assert act(cast, by=by).pk
        return
    before = state()
    with pytest.raises(NotPermitted):
        act(cast, by=by)
    assert state() == before


@pytest.mark.parametrize("by", EVERYBODY)
@pytest.mark.parametrize("act", [enter, lambda cast, by: change(cast, by=by, name="X")])
def test_organisations_are_their_coordinators_and_administrators_to_enter_and_change(cast, act, by):
    if by in {"admin", "coordinator"}:
        assert act(cast, by=by).region == cast.anhui
        return
    before = state()
    with pytest.raises(NotPermitted):
        act(cast, by=by)
    assert state() == before


def test_who_coordinates_a_region_above_may_and_one_of_a_part_below_may_not(cast):
    role_grant(By(PLATFORM, NOW), user=cast.alice, role="coordinator", region=cast.anhui.parent)
    assert enter(cast, by="alice").region == cast.anhui
    assert enter(cast, by="alice", code="sh", region=cast.shanghai).region == cast.shanghai
    hefei = place(cast, scheme="gb-t-2260", code="340100", shares=True)
    role_grant(By(PLATFORM, NOW), user=cast.hu, role="coordinator", region=hefei)
    assert enter(cast, by="hu", code="hf", region=hefei).region == hefei
    with pytest.raises(NotPermitted):
        enter(cast, by="hu", code="no")


# Regions


def test_of_a_known_place_its_code_is_enough(cast):
    region = place(cast)
    assert (region.scheme, region.name, region.name_zh, region.parent.code) == (
        "ISO 3166-2", "Jiangsu", "江苏", "CN",
    )  # fmt: skip
    assert (region.time_zone, region.currency, region.holiday_calendar, region.shares) == (
        "Asia/Shanghai", "CNY", "CN", False,
    )  # fmt: skip
    assert region.lineage == [region.pk, cast.anhui.parent_id]


def test_a_city_lies_below_its_province_under_the_code_of_the_other_list(cast):
    hefei = place(cast, scheme="gb-t-2260", code="340100")
    assert (hefei.name_zh, hefei.parent) == ("合肥市", cast.anhui)


def test_a_province_is_not_entered_twice_under_its_two_codes(cast):
    assert refused(cast, place, scheme="gb-t-2260", code="340000") == [("code", "same-place")]


def test_where_a_country_has_several_zones_one_is_named(cast):
    assert refused(cast, place, code="US-WA") == [("time_zone", "required")]
    region = place(cast, code="US-WA", time_zone="America/Los_Angeles")
    assert (region.currency, region.holiday_calendar) == ("USD", "US-WA")


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"code": "CN-AH"}, [("code", "code-taken")]),
        ({"code": "a b"}, [("code", "not-a-code")]),
        (
            {"scheme": "Ours", "code": "X"},
            [("name", "required"), ("time_zone", "required"), ("currency", "required")],
        ),
        ({"name": "a\x07"}, [("name", "bad-character")]),
        (
            {"time_zone": "Mars/X", "currency": "ABC", "holiday_calendar": "XX"},
            [
                ("currency", "unknown-currency"),
                ("time_zone", "unknown-time-zone"),
                ("holiday_calendar", "unknown-calendar"),
            ],
        ),
    ],
)
def test_a_bad_region_is_refused(cast, values, problems):
    assert refused(cast, place, **values) == problems


def test_a_region_goes_below_another_and_what_is_below_it_follows(cast):
    hefei = place(cast, scheme="gb-t-2260", code="340100")
    shushan = place(cast, scheme="gb-t-2260", code="340104")
    east = place(cast, scheme="Ours", code="EAST", name="East", time_zone="UTC", currency="CNY")
    made = move(cast, cast.anhui, parent=east, expected_version=1)
    assert made.version == 2
    top = [cast.anhui.pk, east.pk]
    for region, lineage in ((hefei, [hefei.pk]), (shushan, [shushan.pk, hefei.pk])):
        region.refresh_from_db()
        assert region.lineage == [*lineage, *top]
    entry = TrailEntry.objects.get(action="region.change")
    assert (entry.before, entry.after) == ({"parent": str(cast.shanghai.parent_id)}, {"parent": str(east.pk)})
    effects_carry_out(now=NOW)
    keys = SearchEntry.objects.get(instrument=cast.microscope).keys
    assert {key for key in keys if key.startswith("region:")} == {"region:CN-AH", "region:EAST"}


def test_a_region_does_not_lie_in_itself_or_in_one_below_it(cast):
    hefei = place(cast, scheme="gb-t-2260", code="340100")
    for parent in (hefei, cast.anhui):
        assert refused(cast, move, cast.anhui, parent=parent) == [("parent", "below-itself")]


def test_another_code_keeps_the_id_and_is_searched_by(cast):
    SavedSearch.objects.create(
        user=cast.wang, name="a", criteria={"region": "CN-AH"}, created_at=NOW, looked_on=NOW.date()
    )
    assert move(cast, cast.anhui, code="AH").pk == cast.anhui.pk
    effects_carry_out(now=NOW)
    assert region_by_code("AH") == cast.anhui
    assert "region:AH" in SearchEntry.objects.get(instrument=cast.microscope).keys
    assert SavedSearch.objects.get().criteria == {"region": "AH"}


def test_new_holidays_are_kept_from_today_on(cast):
    was = cast.microscope.schedule
    move(cast, cast.anhui, holiday_calendar="DE")
    effects_carry_out(now=NOW)
    cast.microscope.refresh_from_db()
    assert cast.microscope.schedule.holiday_calendar == "DE"
    assert cast.microscope.schedule.hours == was.hours
    rows = ScheduleAssignment.objects.filter(instrument=cast.microscope).order_by("from_date")
    assert [(row.schedule.holiday_calendar, row.until_date) for row in rows] == [
        ("CN", NOW.date()),
        ("DE", None),
    ]


def test_nothing_is_written_where_nothing_changes(cast):
    before = state()
    assert move(cast, cast.anhui, name="Anhui", shares=True).version == 1
    assert change(cast, name="USTC", code="ustc").version == 1
    assert state() == before


def test_an_older_version_is_refused(cast):
    move(cast, cast.anhui, name="An Hui")
    change(cast, name="U")
    before = state()
    for act in (
        lambda: move(cast, cast.anhui, name="Y", expected_version=1),
        lambda: change(cast, name="Y", expected_version=1),
    ):
        with pytest.raises(WrongVersion):
            act()
    assert state() == before


def test_a_region_is_closed_when_nothing_open_is_in_it(cast):
    def close(region):
        return organisations.region_close(By(cast.actor("admin"), NOW), region_id=region.pk)

    before = state()
    for region, code in ((cast.anhui, "region-has-organisations"), (cast.anhui.parent, "region-has-regions")):
        with pytest.raises(WrongState) as error:
            close(region)
        assert error.value.code == code
    assert state() == before
    jiangsu = place(cast, shares=True)
    assert (close(jiangsu).closed_at, Region.objects.get(pk=jiangsu.pk).shares) == (NOW, False)
    before = state()
    for act in (
        lambda: close(jiangsu),
        lambda: move(cast, jiangsu, name="X"),
        lambda: enter(cast, region=jiangsu),
        lambda: place(cast, scheme="gb-t-2260", code="320100", parent=jiangsu),
    ):
        with pytest.raises(WrongState) as error:
            act()
        assert error.value.code == "region-closed"
    assert state() == before


def test_a_region_with_organisations_goes_on_sharing(cast):
    assert refused(cast, move, cast.anhui, shares=False) == [("shares", "region-has-organisations")]


# Organisations


def test_an_organisation_with_everything_that_paper_needs(cast):
    made = enter(
        cast,
        by="coordinator",
        name_zh="研究所",
        ror="05a28rw58",
        legal_name="Institute (legal person)",
        address="1 Road\n230000 Hefei",
        tax_number="12340000485001086E",
        bank_account="Bank of China\n6222",
        invoice_email="bills@inst.example",
    )
    made.refresh_from_db()
    assert (made.ror, made.address, made.version) == (
        "https://ror.org/05a28rw58", "1 Road\n230000 Hefei", 1,
    )  # fmt: skip
    entry = TrailEntry.objects.get(action="organisation.create", object_id=made.pk)
    assert entry.after["tax_number"] == "12340000485001086E"
    assert entry.organisation_ids == [made.pk]


def test_another_bank_account_is_told_to_who_keeps_the_accounts(cast):
    made = change(cast, by="coordinator", bank_account="6222 0001", name="U")
    made.refresh_from_db()
    assert (made.bank_account, made.name, made.bank_account_changed_at) == ("6222 0001", "U", NOW)
    assert OutboxMessage.objects.filter(kind="people.bank-account").count() == 1
    actions = TrailEntry.objects.filter(object_id=made.pk).order_by("at", "id")
    assert {entry.action for entry in actions} >= {"organisation.change", "organisation.invoice-details"}
    assert "bank_account" not in actions.get(action="organisation.change").after


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"code": "ustc"}, [("code", "code-taken")]),
        ({"name": " "}, [("name", "required")]),
        ({"kind": "club"}, [("kind", "unknown-value")]),
        ({"is_small": True}, [("is_small", "small-is-enterprise")]),
        (
            {"ror": "05a28rw59", "invoice_email": "no", "tax_number": "1\x002"},
            [("ror", "not-a-ror"), ("invoice_email", "not-a-mail-address"), ("tax_number", "bad-character")],
        ),
        ({"address": "x" * 501}, [("address", "too-long")]),
    ],
)
def test_a_bad_organisation_is_refused(cast, values, problems):
    assert refused(cast, enter, **values) == problems


def test_an_organisation_belongs_to_a_region_that_shares(cast):
    assert refused(cast, enter, region=cast.anhui.parent) == [("region", "region-shares-nothing")]


def test_a_renamed_host_is_found_by_its_new_name_and_code(cast):
    register_file()
    SavedSearch.objects.create(
        user=cast.wang, name="a", criteria={"host": "ustc"}, created_at=NOW, looked_on=NOW.date()
    )
    made = change(cast, name="Hefei University", name_zh="合肥大学", code="hfu")
    assert (made.pk, made.version) == (cast.ustc.pk, 2)
    entry = TrailEntry.objects.get(action="organisation.change")
    assert entry.before == {"code": "ustc", "name": "USTC", "name_zh": "中国科学技术大学"}
    assert entry.after == {"code": "hfu", "name": "Hefei University", "name_zh": "合肥大学"}
    effects_carry_out(now=NOW)
    found = SearchEntry.objects.get(instrument=cast.microscope)
    assert "host:hfu" in found.keys
    assert "ustc" not in found.words
    assert "univers" in found.words or "university" in found.words
    assert SavedSearch.objects.get().criteria == {"host": "hfu"}


def test_a_closed_organisation_stays_as_it_is(cast):
    Organisation.objects.filter(pk=cast.ustc.pk).update(closed_at=NOW)
    before = state()
    with pytest.raises(WrongState) as error:
        change(cast, name="X")
    assert error.value.code == "organisation-closed"
    assert state() == before


def test_the_code_of_another_is_taken(cast):
    assert refused(cast, change, code="fudan") == [("code", "code-taken")]


def test_a_university_is_not_small(cast):
    change(cast, organisation=cast.optics, is_small=True)
    assert refused(cast, change, organisation=cast.optics, kind="university") == [
        ("is_small", "small-is-enterprise")
    ]


def test_codes_differ_in_more_than_their_case(cast):
    # Numbers of statements would be the same: USTC-2026-0001.
    assert refused(cast, enter, code="Ustc") == [("code", "code-taken")]
    assert refused(cast, change, cast.fudan, code="USTC") == [("code", "code-taken")]
    assert change(cast, code="USTC").code == "USTC"  # its own


def test_a_region_that_an_organisation_moves_to_goes_on_sharing(cast):
    jiangsu = place(cast, shares=True)
    move_decide(
        By(cast.actor("admin"), NOW), organisation_id=cast.fudan.pk, region=jiangsu, starts_on=NOW.date()
    )
    assert refused(cast, move, jiangsu, shares=False) == [("shares", "region-has-organisations")]
