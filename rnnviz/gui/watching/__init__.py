"""What a person keeps an eye on: expressions and their values."""
