"""Own pyqtgraph items; they know arrays and colours, never the store."""
