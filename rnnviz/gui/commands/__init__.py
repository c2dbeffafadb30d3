"""The commands: records from which menus, buttons, shortcuts and tooltips are made, and who gets a key."""
