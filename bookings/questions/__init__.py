"""What is asked before and after use, meters, and the maintenance that they count towards."""
