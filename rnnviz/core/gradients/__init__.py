"""Gradients analysed: what step Jacobians, their products and untrained networks say of where gradients come from."""
