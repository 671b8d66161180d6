"""People: what falls due, and what is promised to customers."""
