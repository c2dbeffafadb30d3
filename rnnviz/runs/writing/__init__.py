"""Writing a run: the writer's thread, what waits for it, thinning, copies and commands."""
