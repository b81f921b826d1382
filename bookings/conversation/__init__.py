"""Conversations between a person and a host, in which one can propose another time for a booking to the
other."""
