"""Suggestions: the right expression that a wrong one comes near to."""
