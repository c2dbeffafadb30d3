"""Foreign checkpoints: one file per format."""
