"""Items: things drawn on the canvas; they know arrays and colours, not the store."""
