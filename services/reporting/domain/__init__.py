"""What an event adds to the figures, and the days and periods they are asked for; nothing here reads, writes or waits."""
