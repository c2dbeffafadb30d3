"""Tracing: captures of torch modules, and the check of a trace against autograd."""
