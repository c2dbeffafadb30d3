"""The docks beside the lanes, one file each."""
