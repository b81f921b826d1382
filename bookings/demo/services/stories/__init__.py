"""What the demonstration tells besides bookings, made by the services that people use."""
