"""State of the window: its groups, the store that changes them, preferences, and what is looked at."""
