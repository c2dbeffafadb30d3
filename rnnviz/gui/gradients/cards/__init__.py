"""The cards of the Gradients view, one file each: which numbers a card needs of a model, and how it draws them."""
