from bookings.samples.models.samples import BookedSample, SampleItem, SamplePhoto, SampleStep

__all__ = ["BookedSample", "SampleItem", "SamplePhoto", "SampleStep"]
