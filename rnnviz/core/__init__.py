"""Words, records and mathematics of recurrent networks; numpy only."""
