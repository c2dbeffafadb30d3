"""Widgets: fields, labels and lists that know neither the store nor a run."""
