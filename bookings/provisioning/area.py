"""The manifest of *provisioning*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import GONE, Area, Merges, Personal, Record
from accounts.models import Directory, DirectoryPerson
from bookings.provisioning.messages import ACTS, REFUSALS
from bookings.provisioning.selectors.directory import told_of
from bookings.provisioning.services.directory import directory_people_forget

AREA = Area(
    "bookings.provisioning",
    refusals=REFUSALS,
    acts=ACTS,
    records=(
        Record(
            DirectoryPerson, "organisation__name", "organisation__name_zh", kind=_("person of a directory"),
            acts="directoryperson",
        ),
    ),
    personal=(
        Personal(
            "directories", DirectoryPerson, {"user": GONE},
            "id user_name external_id display_name emails email roles ended_at created_at changed_at "
            "organisation=organisation__code",
            where=told_of,
        ),
    ),
    forgets=(directory_people_forget,),
    merges=(
        Merges(
            "directory", DirectoryPerson, 167, _("Entries of its directory, which are deleted"),
            behind=lambda gone: Directory.objects.filter(organisation=gone), is_handed_over=False,
        ),
    ),
)  # fmt: skip
