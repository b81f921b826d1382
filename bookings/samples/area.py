"""The manifest of *samples*."""

from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from accounts.areas import EMPTIED, KEPT, Area, Personal, Record
from accounts.domain.messages import Topic
from accounts.domain.roles import MANAGER, RESEARCHER
from accounts.menu import FACILITY, MY_WORK, Below, MenuEntry, has, signed_in
from bookings.samples.messages import ACTS, REFUSALS
from bookings.samples.models import SafetySheet, SampleItem, SamplePhoto, SampleStep
from bookings.samples.selectors.samples import find_hazardous
from bookings.samples.services.samples import samples_forget
from instruments.managing.selectors.misfits import finders

AREA = Area(
    "bookings.samples",
    refusals=REFUSALS,
    menu=(
        MenuEntry("bookings:sample-items", _("My samples"), "flask", MY_WORK, 40, signed_in),
        MenuEntry("bookings:sample-queue", _("Samples"), "test-pipe", FACILITY, 40, has("manager")),
    ),
    below=(
        Below(
            "bookings:sample-items",
            "sample-new sample-item sample-change sample-step sample-join sample-photo-new sample-sheet",
        ),
        Below("bookings:sample-queue", "sample-steps"),
        Below("instruments:manage", "sample-receiving"),
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
            roles=frozenset({RESEARCHER, MANAGER}),
        ),
    ),
    joins=(
        (finders, find_hazardous),
    ),
    personal=(
        Personal(
            "sample_items", SampleItem, {"user": EMPTIED},
            "id code name description amount hazards storage sheet=sheet__title afterwards state created_at "
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
    files=(
        SamplePhoto.objects.values_list("pk", Value("photo")),
        SafetySheet.objects.values_list("pk", "kind"),
    ),
)  # fmt: skip
