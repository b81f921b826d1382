"""What the jobs of the clock find due: the same questions for them and for the operators' page."""
