"""SQL of figures that several boards share."""
