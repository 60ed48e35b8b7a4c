"""Pellucid side by side with its peers, each tool in a process and an environment of its own."""
