"""`make bench`: how fast, at which cost, beside which limits and which peers, measured on one machine in one run."""
