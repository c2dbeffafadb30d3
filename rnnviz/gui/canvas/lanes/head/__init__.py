"""Lanes of the head: predictions and losses."""
