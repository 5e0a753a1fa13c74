"""The board "Tevredenheid"."""
