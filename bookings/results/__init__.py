"""Results, handed over: files from a host to whom a booking was for."""
