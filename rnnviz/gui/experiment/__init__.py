"""Experiment: the form for task, models and training settings."""
