"""The canvas: all that lies on the time axis of the sequence."""
