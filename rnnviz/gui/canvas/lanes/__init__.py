"""The lanes: one row of the canvas each."""
