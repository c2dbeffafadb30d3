"""What-if: the page, the editor and the bar of values that are set by hand."""
