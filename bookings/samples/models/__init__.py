from bookings.samples.models.samples import (
    BookedSample,
    SafetySheet,
    SampleItem,
    SamplePhoto,
    SampleReceiving,
    SampleStep,
)

__all__ = ["BookedSample", "SafetySheet", "SampleItem", "SamplePhoto", "SampleReceiving", "SampleStep"]
