"""Steps: the nodes of a cell over time, forward and backward, of one layer and direction."""
