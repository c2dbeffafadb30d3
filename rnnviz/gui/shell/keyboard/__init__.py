"""Keyboard: the areas that F6 goes round, the order of Tab, and the way from a field back to the lanes."""
