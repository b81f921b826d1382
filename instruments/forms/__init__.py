"""Input of the manager's pages turned into typed values: shape only."""

from instruments.forms.attachments import AttachmentForm, AttachmentWordsForm
from instruments.forms.harvests import HarvestForm
from instruments.forms.imports import ColumnsForm, ImportForm, ReadAgainForm
from instruments.forms.opening import OpeningForm
from instruments.forms.policies import PolicyForm
from instruments.forms.publishing import FilterForm, PublicationForm
from instruments.forms.qualifications import GrantForm, PeopleForm, RevokeForm
from instruments.forms.ratecards import RateCardForm
from instruments.forms.registry import FacilityEditForm, FacilityForm, InstrumentForm
from instruments.forms.training import CourseForm, EnrolForm, SessionCancelForm, SessionForm

__all__ = [
    "AttachmentForm",
    "AttachmentWordsForm",
    "ColumnsForm",
    "CourseForm",
    "EnrolForm",
    "FacilityEditForm",
    "FacilityForm",
    "FilterForm",
    "GrantForm",
    "HarvestForm",
    "ImportForm",
    "InstrumentForm",
    "OpeningForm",
    "PeopleForm",
    "PolicyForm",
    "PublicationForm",
    "RateCardForm",
    "ReadAgainForm",
    "RevokeForm",
    "SessionCancelForm",
    "SessionForm",
]
