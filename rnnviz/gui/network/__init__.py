"""Network view: the loop, the loop unrolled, and the inside of the cell, with the numbers of the trace."""
