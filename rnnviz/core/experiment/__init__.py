"""The experiment: the record, its ranges and its TOML file."""
