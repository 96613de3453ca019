"""What an event adds to the figures, and which figures are asked for; nothing here reads, writes or waits."""
