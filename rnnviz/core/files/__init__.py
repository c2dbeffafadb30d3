"""Files a person brings: which formats there are, what a file looks like, and strict readers of tables and texts."""
