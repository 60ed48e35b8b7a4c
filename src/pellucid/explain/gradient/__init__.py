"""Explanations by the gradient of what the model says."""
