"""The board "Signalen"."""
