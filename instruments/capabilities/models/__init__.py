from instruments.capabilities.models.capabilities import Capability, CapabilityQuestion, QuestionAsker

__all__ = ["Capability", "CapabilityQuestion", "QuestionAsker"]
