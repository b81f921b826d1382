"""The form for merging organisations."""

from django.utils.translation import gettext_lazy as _

from accounts.forms import OrganisationField
from instruments.reading.forms.fields import StyledForm


class MergeIntoForm(StyledForm):
    """The organisation into which the other is merged."""

    into = OrganisationField(label=_("Organisation to merge into"))
