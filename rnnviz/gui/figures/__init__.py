"""Figures: what the window shows as a picture file."""
