"""Verdicts: how far a rebuilt trace is from torch's numbers, what rounding explains, and what may be said of it."""
