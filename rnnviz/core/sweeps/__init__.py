"""The sweeps: forward and backward over one recurrent module, from a capture to a trace."""
