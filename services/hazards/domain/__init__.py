"""What an alarm, a hazard, a command or a deadline makes of a case; nothing here reads, writes or waits."""
