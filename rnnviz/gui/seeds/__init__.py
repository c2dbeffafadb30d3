"""Several seeds of an experiment: asked for, trained in the background, and shown as bands with the solved-rate."""
