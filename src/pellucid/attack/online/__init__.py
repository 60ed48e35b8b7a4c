"""Attacks on items that come one at a time, of which only so many may be attacked."""
