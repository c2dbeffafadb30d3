"""What cards are drawn with: axes, marks, colours of magnitudes, legends."""
