"""Windows that ask one thing and close: opening a model, choosing data, jumping, help."""
