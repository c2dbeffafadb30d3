"""Training: the trainer, what it records, and the main loop that obeys commands."""
