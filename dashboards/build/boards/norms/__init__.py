"""The board "Normen"."""
