"""The state of the window: the store, what is remembered between starts, and what is looked at."""
