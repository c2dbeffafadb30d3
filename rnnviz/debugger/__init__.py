"""Stepping through a trace: program, cursor and their transitions; neither Qt nor torch."""
