"""Things drawn along the time axis, one file each."""
