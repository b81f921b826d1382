"""The manifest of *samples*."""

from django.db.models import Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.areas import EMPTIED, KEPT, Area, Personal, Record
from accounts.domain.hooks import HookEvent
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, OPERATOR, RESEARCHER
from accounts.menu import FACILITY, MY_WORK, Below, MenuEntry, Waits, operates, signed_in
from bookings.samples.messages import ACTS, REFUSALS
from bookings.samples.models import SafetySheet, SampleItem, SamplePhoto, SampleStep
from bookings.samples.selectors.events import SAMPLE, of_samples
from bookings.samples.selectors.samples import find_hazardous, refused
from bookings.samples.services.samples import samples_forget
from instruments.managing.selectors.misfits import finders

AREA = Area(
    "bookings.samples",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:sample-items", _("My samples"), "flask", MY_WORK, 40, signed_in),
        MenuEntry("bookings:sample-queue", _("Samples"), "test-pipe", FACILITY, 40, operates),
    ),
    below=(
        Below(
            "bookings:sample-items",
            "sample-new sample-item sample-change sample-step sample-join sample-photo-new sample-sheet"
            " sample-own-steps",
        ),
        Below("bookings:sample-queue", "sample-steps"),
        Below("instruments:manage", "sample-receiving"),
    ),
    waits=(
        Waits(
            "refused", 67, "bookings:sample-queue",
            ngettext_lazy("refused sample to return", "refused samples to return"),
            _("They were not accepted: send them back, or record what becomes of them."),
            operates, refused,
            query="?waits=return&state=refused", entry="bookings:sample-queue", group="state",
        ),
    ),
    records=(
        Record(SampleItem, "name"),
    ),
    acts=ACTS,
    topics=(
        # A sample of the reader's is on its way.
        Topic(
            "sample", _("Samples"),
            _("sent, received, measured, returned; or missing"), 140, stays_in_inbox=True,
            roles=frozenset({RESEARCHER, MANAGER, OPERATOR}),
        ),
    ),
    joins=(
        (finders, find_hazardous),
    ),
    personal=(
        Personal(
            "sample_items", SampleItem, {"user": EMPTIED},
            "id code name description amount hazards storage sheet=sheet__title afterwards state created_at "
            "reference metadata "
            "organisation=organisation__code",
        ),
        Personal(
            "sample_steps", SampleStep, {"by": KEPT},
            "state at place note carrier tracking condition sample=sample__code",
            order="at id", also="sample__user",
        ),
    ),
    official={
        "bookings.SafetySheet.added_by": "its name goes with the sample, whose row is exported",
        "bookings.SamplePhoto.added_by": "its file goes with the sample, whose row is exported",
    },
    forgets=(samples_forget,),
    events=(
        HookEvent(
            "sample.changed",
            _("a sample is sent, received, measured, returned, refused, lost or withdrawn"), 102,
            (
                "sample.shipped", "sample.received", "sample.refused", "sample.measured",
                "sample.return-shipped", "sample.returned", "sample.lost", "sample.cancelled",
            ),
            of_samples, SAMPLE,
        ),
    ),
    files=(
        SamplePhoto.objects.values_list("pk", Value("photo")),
        SafetySheet.objects.values_list("pk", "kind"),
    ),
)  # fmt: skip
