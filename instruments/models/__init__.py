"""The tables of what is offered: instruments, when they open, on what rules, at what rates."""

from instruments.models.attachments import Attachment
from instruments.models.duplicates import DuplicateVerdict
from instruments.models.facilities import Facility
from instruments.models.harvests import Fetching, Harvest
from instruments.models.imports import (
    Import,
    ImportChunk,
    ImportMapping,
    ImportRow,
    Provenance,
)
from instruments.models.instruments import Instrument
from instruments.models.opening import OpenWindow, Schedule, ScheduleAssignment, ScheduleDay
from instruments.models.policies import BookingPolicy
from instruments.models.qualifications import Qualification
from instruments.models.ratecards import RateCard
from instruments.models.search import SearchEntry, SearchWord
from instruments.models.techniques import Technique

__all__ = [
    "Attachment",
    "BookingPolicy",
    "DuplicateVerdict",
    "Facility",
    "Fetching",
    "Harvest",
    "Import",
    "ImportChunk",
    "ImportMapping",
    "ImportRow",
    "Instrument",
    "OpenWindow",
    "Provenance",
    "Qualification",
    "RateCard",
    "Schedule",
    "ScheduleAssignment",
    "ScheduleDay",
    "SearchEntry",
    "SearchWord",
    "Technique",
]
