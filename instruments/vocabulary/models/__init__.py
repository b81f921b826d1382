from instruments.vocabulary.models.measurands import Measurand
from instruments.vocabulary.models.parameters import Parameter
from instruments.vocabulary.models.techniques import Technique

__all__ = ["Measurand", "Parameter", "Technique"]
