"""The columns beside the time axis, the same in all that lies on it: lanes, program strip, training curves."""

LABEL_COLUMN = 120.0  # pixels left of the plot column, the same in every lane
SCALE_COLUMN = 72.0  # pixels right of it: colour bars and tick texts
