"""The run file: what happened in one training, in SQLite, readable while it is written. No torch, no Qt."""
