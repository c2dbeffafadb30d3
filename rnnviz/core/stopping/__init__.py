"""Stopping: what a person marks, breakpoints, watches and bookmarks, and how they are asked of a moment."""
