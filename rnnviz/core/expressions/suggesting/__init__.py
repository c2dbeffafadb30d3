"""Suggestions: the right expression that a wrong one comes near to, and what can be asked where none does.

notations      LaTeX and Python          characters   signs and letters of mathematics
sentences      what is said in words     named_models "loss of the LSTM"
suggestion     all of it, checked        topics, refusals   what has no name, in one sentence
"""
