"""Watching: watches, breakpoints, bookmarks, the log, and the search in the recorded past."""
