"""Training: curves over training steps, the scrubber, and the commands of training."""
