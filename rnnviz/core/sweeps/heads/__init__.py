"""Heads: what makes predictions and losses of outputs, and their gradients: pooling, attention, linear layer, loss."""
