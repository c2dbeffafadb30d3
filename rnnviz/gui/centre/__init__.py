"""The centre of the window: views of one cursor, of which one is seen."""
