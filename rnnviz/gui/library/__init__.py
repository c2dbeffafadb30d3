"""The library: every run there is, found again, named, pinned, deleted and tidied up."""
