"""The tasks: one file each, all giving batches, a probe and the words for them."""
