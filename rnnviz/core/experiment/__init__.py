"""Experiment: the record, its ranges and its TOML file."""
