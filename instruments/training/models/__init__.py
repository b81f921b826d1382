from instruments.training.models.qualifications import Qualification
from instruments.training.models.training import Course, CourseSession, Enrolment

__all__ = ["Course", "CourseSession", "Enrolment", "Qualification"]
