"""The local board: a small web application that draws the generated boards without Grafana."""
