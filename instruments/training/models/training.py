"""Tables of courses that end in a certificate, their sessions, and the places in them."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Places
from accounts.models import Organisation, User
from accounts.models.keys import new_id
from instruments.register.models.facilities import Facility
from instruments.register.models.instruments import Instrument
from instruments.training.models.qualifications import Qualification
from instruments.vocabulary.models.techniques import Technique


class Course(models.Model):
    """A course of an organisation, which certifies people who pass for an instrument or a technique, for
    `months` (None: without end). `places`: the usual number of places in a session."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="courses")
    instrument = models.ForeignKey(Instrument, models.PROTECT, null=True, related_name="+")
    technique = models.ForeignKey(Technique, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    description_zh = models.TextField(blank=True)
    months = models.PositiveIntegerField(null=True)
    places = models.PositiveIntegerField()
    # Courses whose certificates one must hold on the day of a session.
    prerequisites = models.ManyToManyField("self", symmetrical=False, related_name="leads_to")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("course")
        constraints = [
            models.CheckConstraint(
                condition=Q(instrument__isnull=False, technique=None)
                | Q(instrument=None, technique__isnull=False),
                name="course_of_one_thing",
            )
        ]
        indexes = [
            models.Index(fields=["technique", "organisation"], name="course_technique"),
            models.Index(fields=["organisation", "name"], name="course_organisation"),
        ]

    def __str__(self) -> str:
        return self.name


class CourseSession(models.Model):
    """One session of a course, in the time zone of its facility. People ask for a place before `deadline_at`.
    `instrument`: the one that it occupies all the time; None: it needs none."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    course = models.ForeignKey(Course, models.PROTECT, related_name="sessions")
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="+")
    location = models.CharField(max_length=200, blank=True)
    # Without a constraint, as instruments are never deleted and adding one would lock their table.
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    places = models.PositiveIntegerField()
    trainers = models.ManyToManyField(User, related_name="+")
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)  # why it was cancelled
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("course session")
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__gt=F("start_at"), deadline_at__lte=F("start_at")),
                name="course_session_forward",
            )
        ]
        indexes = [models.Index(fields=["course", "start_at"], name="course_session_start")]


class Enrolment(models.Model):
    """A person's place in a session, or in the line for one. A person who gave it up and asks again gets
    another row, at the end of the line.

    `organisation` pays for it once it was attended, if the place has a price when it is asked for. `price` is
    then the stored quote: its `inputs`, to compute it again, and its `result`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a place")
        ENROLLED = "enrolled", _("enrolled")
        WITHDRAWN = "withdrawn", _("withdrawn")
        PASSED = "passed", _("passed")
        FAILED = "failed", _("not passed")
        ABSENT = "absent", _("did not attend")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(CourseSession, models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(User, models.PROTECT, related_name="enrolments")
    state = models.CharField(max_length=10, choices=State)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()
    qualification = models.OneToOneField(Qualification, models.PROTECT, null=True, related_name="enrolment")
    # Without a constraint, as organisations are never deleted and adding one would lock their table.
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    price = models.JSONField(null=True)

    class Meta:
        verbose_name = _("enrolment")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "user"], condition=~Q(state="withdrawn"), name="enrolment_once"
            ),
            models.CheckConstraint(
                condition=Q(qualification=None) | Q(state="passed"), name="enrolment_certified_if_passed"
            ),
            models.CheckConstraint(
                condition=Q(organisation=None, price=None)
                | Q(organisation__isnull=False, price__isnull=False),
                name="enrolment_priced_for_payer",
            ),
        ]
        indexes = [models.Index(fields=["user", "-asked_at"], name="enrolment_user")]

    def places(self) -> Places:
        return self.session.course.organisation.places()

    @property
    def payable(self) -> Decimal | None:
        """Return what is to be paid once the place was attended; None if it has no price."""
        return None if self.price is None else Decimal(self.price["result"]["payable"])

    @property
    def currency(self) -> str | None:
        """Return the currency of what is to be paid."""
        return None if self.price is None else self.price["result"]["currency"]
