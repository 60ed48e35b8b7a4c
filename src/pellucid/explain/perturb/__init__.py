"""Explanations by asking again: what the model says when parts of the input are hidden."""
