"""Planned purchases, the planning map and the register of decisions."""
