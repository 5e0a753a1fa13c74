"""The board "Kanaal"."""
