"""The boards as code: each module builds one board; `python -m dashboards.generate` writes them as Grafana reads them."""
