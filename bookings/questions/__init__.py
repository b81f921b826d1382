"""Questions before and after use, meters, and the maintenance that is due by them."""
