"""The proof: what anyone can run to see that nothing is lost, and how fast it is."""
