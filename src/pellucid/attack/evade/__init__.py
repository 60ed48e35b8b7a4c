"""Evasion: inputs, moved a little, that a model gets wrong."""
