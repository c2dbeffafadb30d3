"""The items the canvas draws: heat maps, curves, chains and labels, which do not know the store."""
