"""Delivery of results: files from a host to the people a booking was for."""
