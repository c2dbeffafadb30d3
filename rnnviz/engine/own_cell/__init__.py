"""A user's own cell: its file run once it is allowed, stepped over time, recorded, asked for step Jacobians."""
