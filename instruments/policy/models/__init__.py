from instruments.policy.models.policies import BookingPolicy, PolicyVersion

__all__ = ["BookingPolicy", "PolicyVersion"]
