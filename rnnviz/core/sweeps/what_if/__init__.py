"""What-ifs: what a person sets by hand in a trace, as records and text, and the sweeps it changes."""
