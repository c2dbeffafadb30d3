"""The run library: what runs there are, what each is about at a glance, and which may be tidied away."""
