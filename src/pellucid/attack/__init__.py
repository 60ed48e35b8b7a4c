"""Attacks: what breaks a model."""
