"""The planning map against rows that a test writes."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache

from accounts.domain.errors import NotPermitted
from accounts.models import Organisation
from bookings.catalogue.models import UnmetDemand
from bookings.hours.models import InstrumentYear
from bookings.planning.domain.map import Demand, Supply, spare
from bookings.planning.selectors.map import Planned, load_map, usual_year
from instruments.register.models import Facility, Instrument
from tests.factories.agreements import agree
from tests.factories.cast import NOW
from tests.factories.planning import plan_of, tree_of

pytestmark = pytest.mark.django_db


def year_of(instrument, year=2026, opened=120_000, used=60_000):
    InstrumentYear.objects.create(
        instrument=instrument, year=year, norm="general", units=1, total_minutes=525_600,
        open_minutes=opened, productive_minutes=used, unscheduled_down_minutes=0,
        scheduled_down_minutes=0, engineering_minutes=0, standby_minutes=opened - used,
        no_show_minutes=0, non_scheduled_minutes=525_600 - opened, breakdowns=0,
        other_organisations_minutes=0, other_regions_minutes=0, sessions=1,
    )  # fmt: skip


def instrument_of(organisation, techniques, **values):
    facility = Facility.objects.create(organisation=organisation, name="Lab", time_zone="Asia/Shanghai")
    row = Instrument.objects.create(
        facility=facility, organisation=organisation, region=organisation.region, name="It",
        publication="published", published_at=NOW, created_at=NOW, updated_at=NOW, **values,
    )  # fmt: skip
    row.techniques.set(techniques)
    return row


def unmet(cast, who="wang", organisation=None, **values):
    owner = organisation or cast.fudan
    moment = datetime(2026, 2, 2, tzinfo=ZoneInfo("UTC"))
    return UnmetDemand.objects.create(
        **{
            "kind": "refused", "user": cast.people[who], "organisation": owner,
            "region": owner.region, "instrument": cast.microscope, "minutes": 90,
            "wanted_from": moment, "wanted_until": moment, "on_date": date(2026, 2, 2),
            "created_at": moment,
        } | values
    )  # fmt: skip


@pytest.fixture(autouse=True)
def anew():
    cache.clear()


def read(cast, who="coordinator", year=2026):
    cache.clear()
    return load_map(cast.actor(who), year, NOW)


def test_a_class_has_what_is_narrower_each_instrument_once(cast):
    tree = tree_of(cast)
    cast.microscope.techniques.set([tree["tem"], tree["sem"]])
    cast.microscope.dates = [{"date": "2019-05-01", "date_type": "Commissioned"}]
    cast.microscope.save()
    year_of(cast.microscope)
    other = instrument_of(cast.ustc, [tree["cryo"]], acquisition_date=date(2021, 1, 1))
    year_of(other, opened=60_000, used=59_000)
    whole = read(cast)
    electron = cast.technique.code
    expected = Supply(2, 1, 180_000, 119_000, spare(120_000, 60_000), 2019)
    assert whole.cells[electron, "CN-AH"].supply == expected
    assert whole.cells["tem", "CN-AH"].supply == expected
    assert whole.cells["sem", "CN-AH"].supply.instruments == 1
    assert whole.cells["cryo", "CN-AH"].supply == Supply(1, 1, 60_000, 59_000, 0, 2021)
    assert whole.cells["cryo", "CN-AH"].supply_before == Supply()
    assert whole.roots == [electron]


def test_the_year_before_stands_beside_it(cast):
    year_of(cast.microscope)
    year_of(cast.microscope, 2025, used=0)
    cell = read(cast).cells[cast.technique.code, "CN-AH"]
    assert cell.supply.effective_minutes == 60_000
    assert cell.supply_before.effective_minutes == 0
    assert usual_year(NOW) == 2025


def test_merged_and_unpublished_records_do_not_count_unless_they_opened(cast):
    Instrument.objects.update(publication="retired")
    assert read(cast).cells == {}
    year_of(cast.microscope)
    assert read(cast).cells[cast.technique.code, "CN-AH"].instruments == 1
    Instrument.objects.update(merged_into=cast.microscope)
    assert read(cast).cells == {}


def test_a_wish_counts_once_however_many_techniques_the_instrument_has(cast):
    tree = tree_of(cast)
    cast.microscope.techniques.set([tree["tem"], tree["sem"]])
    unmet(cast)
    unmet(cast, kind="search", instrument=None, technique=tree["tem"], query="tem", minutes=60)
    unmet(cast, kind="search", instrument=None, query="what", minutes=30)
    unmet(cast, on_date=date(2025, 2, 2), minutes=15)
    whole = read(cast, "xu")
    electron = cast.technique.code
    assert whole.cells[electron, "CN-SH"].demand == Demand(1, 150, 1, 0, 1)
    assert whole.cells["sem", "CN-SH"].demand == Demand(1, 90, 1, 0, 0)
    assert whole.cells["", "CN-SH"].demand == Demand(1, 30, 0, 0, 1)
    assert whole.cells[electron, "CN-SH"].demand_before == Demand(1, 15, 1, 0, 0)


def test_hours_of_few_organisations_are_hidden_to_other_regions(cast):
    year_of(cast.microscope)
    unmet(cast)
    code = cast.technique.code
    own, other = read(cast, "coordinator"), read(cast, "xu")
    assert own.cells[code, "CN-AH"].supply.open_minutes == 120_000
    assert own.cells[code, "CN-SH"].demand is None
    assert other.cells[code, "CN-AH"].supply is None
    assert other.cells[code, "CN-AH"].instruments == 1
    assert other.cells[code, "CN-SH"].demand.minutes == 90
    assert other.totals[code].supply is None and own.totals[code].supply is not None
    everything = read(cast, "admin").cells[code, "CN-AH"]
    assert everything.supply and everything.demand == Demand()


def test_hours_of_enough_organisations_are_shown(cast):
    year_of(cast.microscope)
    for code in ("one", "two"):
        owner = Organisation.objects.create(code=code, name=code, region=cast.anhui)
        year_of(instrument_of(owner, [cast.technique]), opened=1200, used=600)
    cell = read(cast, "xu").cells[cast.technique.code, "CN-AH"]
    assert (cell.supply.hosts, cell.supply.open_minutes) == (3, 122_400)


def test_plans_count_in_broader_classes_for_whom_they_are_told(cast):
    tree_of(cast)
    plan_of(cast, technique="cryo")
    code = cast.technique.code
    assert read(cast, "xu").cells[code, "CN-SH"].planned == Planned(1, 1400, 2027)
    before = read(cast)
    assert (code, "CN-SH") not in before.cells and "CN-SH" not in before.told
    agree(cast)
    assert read(cast).cells[code, "CN-SH"].planned == Planned(1, 1400, 2027)
    assert read(cast).totals["tem"].planned.hours == 1400


@pytest.mark.parametrize("who", ["wang", "zhao", "gao", "alice"])
def test_it_is_for_coordinators_auditors_and_administrators(cast, who):
    with pytest.raises(NotPermitted):
        read(cast, who)


def test_few_statements(cast, django_assert_max_num_queries):
    year_of(cast.microscope)
    cache.clear()
    actor = cast.actor("coordinator")
    with django_assert_max_num_queries(11):
        load_map(actor, 2026, NOW)
    with django_assert_max_num_queries(5):
        load_map(actor, 2026, NOW)
