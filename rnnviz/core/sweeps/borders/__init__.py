"""Borders: what stands before, between and after the calls of recurrent modules."""
