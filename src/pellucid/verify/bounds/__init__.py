"""Bounds of what a graph answers to any point of a box."""
