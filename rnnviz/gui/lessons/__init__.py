"""The lessons: cards that say what to press and what to see."""
