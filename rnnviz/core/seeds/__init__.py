"""Several seeds of one setting: when one counts as solved, and the median and band of many."""
