"""The tasks: what a network is asked to learn, in words."""
