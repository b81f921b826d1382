"""Hours: the six states of SEMI E10 per instrument and local day.

A row exists only for a day with a session, a closure or a no-show; the figures of other days follow from the
calendar (instruments.ScheduleDay). The rows are derived, by the million and by SQL: their keys are copied
from rows whose foreign keys the database checks, so it does not check them again here, which would take
longer than all the rest.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from accounts.models import Organisation, Region
from instruments.register.models import Facility, Instrument

_ADDS_UP = Q(
    total_minutes=F("productive_minutes")
    + F("unscheduled_down_minutes")
    + F("scheduled_down_minutes")
    + F("engineering_minutes")
    + F("standby_minutes")
    + F("non_scheduled_minutes")
)


class InstrumentDay(models.Model):
    """Minutes of all units together; the six states add up to `total_minutes`."""

    pk = models.CompositePrimaryKey("instrument", "date")
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    date = models.DateField()
    total_minutes = models.PositiveIntegerField()
    open_minutes = models.PositiveIntegerField()  # what standby would be if nothing had happened
    productive_minutes = models.PositiveIntegerField()
    unscheduled_down_minutes = models.PositiveIntegerField()
    scheduled_down_minutes = models.PositiveIntegerField()
    engineering_minutes = models.PositiveIntegerField()
    standby_minutes = models.PositiveIntegerField()
    no_show_minutes = models.PositiveIntegerField()  # part of standby
    non_scheduled_minutes = models.PositiveIntegerField()
    breakdowns = models.PositiveIntegerField(default=0)  # breakdowns that began on this day

    class Meta:
        constraints = [
            models.CheckConstraint(condition=_ADDS_UP, name="instrumentday_identity"),
            models.CheckConstraint(
                condition=Q(no_show_minutes__lte=F("standby_minutes")), name="instrumentday_no_show"
            ),
        ]
        # For the few days that an audit asks for, of any age.
        indexes = [
            models.Index(
                fields=["instrument", "date"],
                condition=Q(productive_minutes__gt=F("open_minutes")),
                name="instrumentday_over_open",
            )
        ]


class InstrumentDayUse(models.Model):
    """Productive minutes of a day by payer and price group; they add up to the productive minutes of the
    day."""

    pk = models.CompositePrimaryKey("instrument", "date", "organisation", "payer_region", "price_group")
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    date = models.DateField()
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    payer_region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    price_group = models.CharField(max_length=10)
    minutes = models.PositiveIntegerField()
    # Sessions that began on this day; one across midnight counts on its first.
    sessions = models.PositiveIntegerField()


class Sums(models.Model):
    """Sums of days, including days without a row; only days that are rolled up count. They are written after
    those days, for the months marked in `DirtyMonths`."""

    total_minutes = models.BigIntegerField()
    open_minutes = models.BigIntegerField()
    productive_minutes = models.BigIntegerField()
    unscheduled_down_minutes = models.BigIntegerField()
    scheduled_down_minutes = models.BigIntegerField()
    engineering_minutes = models.BigIntegerField()
    standby_minutes = models.BigIntegerField()
    no_show_minutes = models.BigIntegerField()
    non_scheduled_minutes = models.BigIntegerField()
    breakdowns = models.PositiveIntegerField()
    other_organisations_minutes = models.BigIntegerField()
    other_regions_minutes = models.BigIntegerField()
    sessions = models.PositiveIntegerField()

    class Meta:
        abstract = True
        constraints = [models.CheckConstraint(condition=_ADDS_UP, name="%(class)s_identity")]


class FacilityMonth(Sums):
    """The sums of a facility for one month, from which figures of regions, organisations and facilities over
    whole months are read. `month` is its first day."""

    pk = models.CompositePrimaryKey("facility", "month")
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()

    class Meta(Sums.Meta):
        indexes = [models.Index(fields=["month"], name="facilitymonth_month")]


class FacilityDay(Sums):
    """The sums of a facility's instruments on one day, for weeks and for days outside whole months."""

    pk = models.CompositePrimaryKey("facility", "date")
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    date = models.DateField()


class InstrumentMonth(Sums):
    """The sums of an instrument for one month, whoever owned it then, for figures by technique and of
    instruments that are not all those of some facilities."""

    pk = models.CompositePrimaryKey("instrument", "month")
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()

    class Meta(Sums.Meta):
        # The rows of a month are written together: this index finds them, and costs nothing to maintain.
        indexes = [
            BrinIndex(fields=["month"], name="instrumentmonth_month", pages_per_range=16, autosummarize=True)
        ]


class InstrumentYear(Sums):
    """The sums of an instrument in a year, as far as it is rolled up, with the units offered and their
    `norm`, as in `FacilityYear`."""

    pk = models.CompositePrimaryKey("instrument", "year")
    instrument = models.ForeignKey(
        Instrument, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    year = models.PositiveSmallIntegerField()
    norm = models.CharField(max_length=10)
    units = models.PositiveIntegerField()

    class Meta(Sums.Meta):
        indexes = [models.Index(fields=["year"], name="instrumentyear_year")]


class FacilityUse(models.Model):
    """The sums of `InstrumentDayUse` by facility and month; `host_region` is that of the host on the day."""

    pk = models.CompositePrimaryKey(
        "facility", "month", "host_region", "organisation", "payer_region", "price_group"
    )
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()
    host_region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    payer_region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    price_group = models.CharField(max_length=10)
    minutes = models.BigIntegerField()
    sessions = models.PositiveIntegerField()


class FacilityBookings(models.Model):
    """Counts of a facility's bookings that were ever confirmed and began, or would have begun, in a month
    (hours/selectors/bookings.py says what counts)."""

    pk = models.CompositePrimaryKey("facility", "month")
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()
    booked = models.PositiveIntegerField()
    booked_minutes = models.BigIntegerField()
    cancelled = models.PositiveIntegerField()
    cancelled_late = models.PositiveIntegerField()
    cancelled_late_minutes = models.BigIntegerField()
    not_used = models.PositiveIntegerField()
    not_used_minutes = models.BigIntegerField()


class FacilityLead(models.Model):
    """The number of bookings in `FacilityBookings` that were requested at least `lead` x `width` and less
    than (`lead` + 1) x `width` whole minutes before they began. Each booking counts once at every width: the
    median is looked up among the widest first, then within one of them."""

    pk = models.CompositePrimaryKey("facility", "month", "width", "lead")
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()
    width = models.PositiveSmallIntegerField()
    lead = models.PositiveIntegerField()
    bookings = models.PositiveIntegerField()


class BookingsRead(models.Model):
    """The moment up to which the trail has been read for bookings whose months must be summed up again. There
    is only one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()


class FacilityYear(models.Model):
    """The number of units that a facility offered in a year, as far as its days are rolled up, by `norm`,
    which says which norm hours apply: `general`, `dedicated`, or an instrument's own hours."""

    pk = models.CompositePrimaryKey("facility", "year", "norm")
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    year = models.PositiveSmallIntegerField()
    norm = models.CharField(max_length=10)
    units = models.PositiveIntegerField()


class DirtyMonths(models.Model):
    """Months [since, until) of a facility whose sums must be computed again. Rows are written together with
    the days that change, possibly several for one month, so that no writer waits for another."""

    id = models.BigAutoField(primary_key=True)
    facility = models.ForeignKey(
        Facility, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    since = models.DateField()
    until = models.DateField()
    only_bookings = models.BooleanField(default=False, db_default=False)


class DirtyDay(models.Model):
    """A day whose figures must be computed again, if it has been rolled up."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, models.CASCADE, related_name="+", db_index=False)
    date = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instrument", "date"], name="dirtyday_unique")]


class RollUp(models.Model):
    """How far an instrument's days have been rolled up: every one before `until_date`.

    The row is also the lock under which the figures of its instrument are written.
    """

    instrument = models.OneToOneField(Instrument, models.CASCADE, primary_key=True, related_name="+")
    until_date = models.DateField()
    # The facility for which its months and years were summed up: the record may have changed since.
    facility = models.ForeignKey(
        Facility, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    norm = models.CharField(max_length=10, default="")
    units = models.PositiveIntegerField(default=0)
    # The day until which it belonged to another host (`PastHost`), as far as the sums know.
    host_since = models.DateField(null=True)
    # Whether the sums include all of its days: not yet after an upgrade that adds sums.
    is_summed = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [models.Index(fields=["facility"], condition=Q(is_summed=False), name="rollup_not_summed")]
