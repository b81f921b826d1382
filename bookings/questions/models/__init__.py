from bookings.questions.models.meters import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.questions.models.questions import AnswerFile, AnswerSheet, Moment, Questionnaire

__all__ = [
    "AnswerFile",
    "AnswerSheet",
    "CounterCycle",
    "MaintenanceCounter",
    "Meter",
    "MeterReading",
    "Moment",
    "Questionnaire",
]
