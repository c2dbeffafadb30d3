"""Live: the engine, the run file it writes, and jobs off the event loop."""
