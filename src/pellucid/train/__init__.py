"""Training: what networks are trained for, and how long."""
