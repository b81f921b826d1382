"""Input of pages turned into typed values: shape only."""

from bookings.forms.agreements import AgreementEndForm, AgreementForm, SignForm
from bookings.forms.audit import (
    CloseForm,
    ExceptionFilterForm,
    ExceptionForm,
    ExceptionsForm,
    FindingForm,
    OtherFindingForm,
    ReplyForm,
    ReturnForm,
    SampleForm,
)
from bookings.forms.booking import BookingForm, PeriodForm, with_start
from bookings.forms.calendars import BoardForm, CalendarForm
from bookings.forms.catalogue import CatalogueForm
from bookings.forms.chains import ChainForm, StepForm
from bookings.forms.charges import ChargeFilterForm, CorrectionForm, TimesForm, WordForm
from bookings.forms.closures import ClosureEndForm, ClosureForm
from bookings.forms.duplicates import DuplicatesForm
from bookings.forms.funding import SourceForm
from bookings.forms.imports import FileForm, ImportForm
from bookings.forms.moves import MoveForm
from bookings.forms.organisations import (
    AnswerForm,
    MissingForm,
    OrganisationFilterForm,
    OrganisationForm,
    PickedForm,
    PickForm,
    RegionForm,
    RorForm,
)
from bookings.forms.programmes import GrantChangeForm, GrantForm, ProgrammeForm, SuspendForm
from bookings.forms.reservations import DecideForm, DecideManyForm, ReasonForm
from bookings.forms.series import SeriesCancelForm, SeriesForm, SeriesMoveForm
from bookings.forms.trail import BundleForm, TrailForm
from bookings.forms.usage import CheckOutForm, RatingsForm
from bookings.forms.utilisation import HoursForm, NormForm
from bookings.forms.waiting import WaitingForm

__all__ = [
    "AgreementEndForm",
    "AgreementForm",
    "AnswerForm",
    "BoardForm",
    "BookingForm",
    "BundleForm",
    "CalendarForm",
    "CatalogueForm",
    "ChainForm",
    "ChargeFilterForm",
    "CheckOutForm",
    "CloseForm",
    "ClosureEndForm",
    "ClosureForm",
    "CorrectionForm",
    "DecideForm",
    "DecideManyForm",
    "DuplicatesForm",
    "ExceptionFilterForm",
    "ExceptionForm",
    "ExceptionsForm",
    "FileForm",
    "FindingForm",
    "GrantChangeForm",
    "GrantForm",
    "HoursForm",
    "ImportForm",
    "MissingForm",
    "MoveForm",
    "NormForm",
    "OrganisationFilterForm",
    "OrganisationForm",
    "OtherFindingForm",
    "PeriodForm",
    "PickForm",
    "PickedForm",
    "ProgrammeForm",
    "RatingsForm",
    "ReasonForm",
    "RegionForm",
    "ReplyForm",
    "ReturnForm",
    "RorForm",
    "SampleForm",
    "SeriesCancelForm",
    "SeriesForm",
    "SeriesMoveForm",
    "SignForm",
    "SourceForm",
    "StepForm",
    "SuspendForm",
    "TimesForm",
    "TrailForm",
    "WaitingForm",
    "WordForm",
    "with_start",
]
