"""What goes on behind the window: the engine, the run file that is followed, the traces that are rebuilt."""
