"""State of the window: its groups, the store that changes them, what is remembered between starts, what is looked at."""
