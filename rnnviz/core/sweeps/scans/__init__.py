"""Scans: one reverse scan that carries the gradients of many losses at once, through layers and across calls."""
