"""Colours that people who see few colours can tell apart (Okabe and Ito, 2008). A symbol or a word always stands by."""

BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
YELLOW = "#F0E442"
GREY = "#7F7F7F"

GOOD, WARNING, BAD, UNKNOWN = GREEN, ORANGE, VERMILION, GREY
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW)

STATES = {"✓": GOOD, "✗": BAD, "▲": BAD, "◷": WARNING, "◔": UNKNOWN, "?": UNKNOWN}
"""The symbol that a state begins with, and its colour: met, not met, incident, late, too few or too early, not known."""
