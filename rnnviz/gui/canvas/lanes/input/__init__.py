"""Input lanes: what the network reads, drawn as fits the task."""
