"""Reading a run: bounded questions to a file that may be damaged or still be written."""
