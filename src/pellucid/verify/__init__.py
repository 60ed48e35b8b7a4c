"""What can be proven about a model."""
