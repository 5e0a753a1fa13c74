"""What whoever reads the generated boards needs without Grafana: their panels, Grafana's variables and the ClickHouse plugin's macros."""
