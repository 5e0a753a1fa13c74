"""The board "Gegevens"."""
