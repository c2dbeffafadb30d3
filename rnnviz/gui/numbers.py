"""Numbers as a person reads them, for everything that is drawn."""

from rnnviz.core.numbers import power, short, superscript, tick, whole

__all__ = ["power", "short", "superscript", "tick", "whole"]
