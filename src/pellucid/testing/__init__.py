"""Contracts by kind, for the house's own methods and for those of plug-in authors."""
