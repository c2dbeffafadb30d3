"""Gradients view: a page of cards that tell where gradients come from, and where they die."""
