"""Dashboards of Grafana: what the gateways and the operator tell Prometheus, as pictures."""
