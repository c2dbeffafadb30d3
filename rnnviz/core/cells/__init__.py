"""The cells: each a pure step that reads like its equations, forward and backward."""
