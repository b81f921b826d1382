from bookings.questions.models.meters import CounterCycle, MaintenanceCounter, Meter, MeterReading
from bookings.questions.models.questions import AnswerSheet, Moment, Questionnaire

__all__ = [
    "AnswerSheet",
    "CounterCycle",
    "MaintenanceCounter",
    "Meter",
    "MeterReading",
    "Moment",
    "Questionnaire",
]
