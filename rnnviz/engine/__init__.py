"""torch: models, training, captures and foreign checkpoints, in a process of its own."""
