"""Optimising: from the gradients of a training step to the new weights, by clipping and an optimiser."""
