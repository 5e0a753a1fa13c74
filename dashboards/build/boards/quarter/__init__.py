"""The board "Kwartaal"."""
