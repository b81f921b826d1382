from instruments.rates.models.ratecards import RateCard

__all__ = ["RateCard"]
