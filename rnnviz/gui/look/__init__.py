"""The look: theme, colour maps, fonts, icons and style sheets."""
