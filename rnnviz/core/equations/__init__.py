"""The equations: a cell's operations, one by one, as symbols and with their numbers."""
