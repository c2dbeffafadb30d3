"""Stepping: the commands that walk the program, its strip, and the label that says where the cursor is."""
