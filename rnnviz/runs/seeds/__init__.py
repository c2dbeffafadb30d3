"""Several seeds of an experiment: a folder with one run a seed and an index, who trains them, and what came of them."""
