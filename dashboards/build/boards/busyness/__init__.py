"""The board "Drukte en producten"."""
