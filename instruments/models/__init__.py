"""The tables of what is offered: instruments, when they open, on what rules, at what rates."""

from instruments.models.attachments import Attachment, StoredFile
from instruments.models.capabilities import (
    Capability,
    CapabilityQuestion,
    Parameter,
    QuestionAsker,
)
from instruments.models.duplicates import DuplicateVerdict
from instruments.models.facilities import Facility
from instruments.models.harvests import Fetching, Harvest
from instruments.models.house_rules import HouseRules, HouseRulesAcceptance
from instruments.models.imports import (
    Import,
    ImportChunk,
    ImportMapping,
    ImportRow,
    Provenance,
)
from instruments.models.instruments import Instrument, PastHost
from instruments.models.measurands import Measurand
from instruments.models.opening import OpenWindow, Schedule, ScheduleAssignment, ScheduleDay
from instruments.models.policies import BookingPolicy, PolicyVersion
from instruments.models.polling import PolledAddress
from instruments.models.qualifications import Qualification
from instruments.models.ratecards import RateCard
from instruments.models.search import SearchEntry, SearchGroup, SearchWord
from instruments.models.techniques import Technique
from instruments.models.training import Course, CourseSession, Enrolment

__all__ = [
    "Attachment",
    "BookingPolicy",
    "Capability",
    "CapabilityQuestion",
    "Course",
    "CourseSession",
    "DuplicateVerdict",
    "Enrolment",
    "Facility",
    "Fetching",
    "Harvest",
    "HouseRules",
    "HouseRulesAcceptance",
    "Import",
    "ImportChunk",
    "ImportMapping",
    "ImportRow",
    "Instrument",
    "Measurand",
    "OpenWindow",
    "Parameter",
    "PastHost",
    "PolicyVersion",
    "PolledAddress",
    "Provenance",
    "Qualification",
    "QuestionAsker",
    "RateCard",
    "Schedule",
    "ScheduleAssignment",
    "ScheduleDay",
    "SearchEntry",
    "SearchGroup",
    "SearchWord",
    "StoredFile",
    "Technique",
]
