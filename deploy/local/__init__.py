"""One machine runs the whole platform on a real Kafka and a real PostgreSQL of its own."""
