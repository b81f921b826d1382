from django.apps import AppConfig


class BookingsConfig(AppConfig):
    name = "bookings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have a say where the app below decides about what is booked."""
        from bookings.availability.selectors.misfits import find_misfits, find_unkept  # noqa: PLC0415 models are ready
        from bookings.catalogue.selectors.ratecards import is_card_used  # noqa: PLC0415
        from bookings.catalogue.selectors.units import refuse_units_in_use  # noqa: PLC0415 models are ready
        from bookings.record.selectors.reservations import refuse_while_booked  # noqa: PLC0415
        from bookings.samples.selectors.samples import find_hazardous  # noqa: PLC0415
        from bookings.usage.services.closures import closures_fill  # noqa: PLC0415
        from instruments.selectors.misfits import finders  # noqa: PLC0415
        from instruments.services.policies import followers, guards  # noqa: PLC0415
        from instruments.services.publishing import retiring  # noqa: PLC0415
        from instruments.services.ratecards import uses  # noqa: PLC0415

        if refuse_units_in_use not in guards:
            guards.append(refuse_units_in_use)
        if closures_fill not in followers:
            followers.append(closures_fill)
        if find_misfits not in finders:
            finders.append(find_misfits)
        if find_unkept not in finders:
            finders.append(find_unkept)
        if find_hazardous not in finders:
            finders.append(find_hazardous)
        if refuse_while_booked not in retiring:
            retiring.append(refuse_while_booked)
        if is_card_used not in uses:
            uses.append(is_card_used)
