"""The run file: its tables, records, payloads and how it is opened."""
