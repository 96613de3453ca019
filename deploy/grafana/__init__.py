"""Dashboards for Grafana, made from code, so that a test can ask each of their queries of a real stack."""
