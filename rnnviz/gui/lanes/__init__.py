"""Lanes: what is drawn along the time axis, one file each."""
