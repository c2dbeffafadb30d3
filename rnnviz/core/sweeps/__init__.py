"""The sweeps: forward and backward over the calls of recurrent modules, from a capture to a trace.

Rooms, lower ones first: steps (the nodes of a cell over time), heads, scans (many losses at once), borders (what stands
around a call), verdicts, what_if. Capture, layers and the trace that joins all of them stand beside them.
"""
